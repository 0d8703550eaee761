exports.print = (html) => { const w = window.open(''); w.document.write(html); };
