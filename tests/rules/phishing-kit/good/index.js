exports.bot = () => navigator.webdriver;
exports.go = (u) => location.assign(u);
