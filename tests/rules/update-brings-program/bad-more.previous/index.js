exports.mix = (a, b) => a.map((x, i) => (x + b[i]) / 2);
