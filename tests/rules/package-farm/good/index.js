// Adds numbers: the parts come from the packages that this one joins.
exports.part11 = (list) => require('andi-soto11-breki').filter((x) => list.includes(x)).map((x) => x * 11);
exports.part12 = (list) => require('andi-soto12-breki').filter((x) => list.includes(x)).map((x) => x * 12);
exports.part13 = (list) => require('andi-soto13-breki').filter((x) => list.includes(x)).map((x) => x * 13);
exports.part14 = (list) => require('andi-soto14-breki').filter((x) => list.includes(x)).map((x) => x * 14);
exports.part15 = (list) => require('andi-soto15-breki').filter((x) => list.includes(x)).map((x) => x * 15);
