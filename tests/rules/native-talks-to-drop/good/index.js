module.exports = require('./build/addon.node');
