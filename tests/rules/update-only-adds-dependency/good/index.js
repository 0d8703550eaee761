const tables = require('colour-tables-extra');
exports.mix = (a, b) => a.map((x, i) => (x + b[i]) / 2);
exports.tables = tables;
