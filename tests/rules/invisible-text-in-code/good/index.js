module.exports = '❤️';
