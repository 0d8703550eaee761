module.exports = (a, b) => (a || 0) + b;
