// flags
module.exports = { heart: '❤️', england: '🏴󠁧󠁢󠁥󠁮󠁧󠁿' };
