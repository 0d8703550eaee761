module.exports = ['00'];
