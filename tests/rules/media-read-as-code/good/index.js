const sound = require('fs').readFileSync(__dirname + '/ring.wav').subarray(44);
exports.length = sound.length / 8000;
exports.inverted = () => sound.map((b) => 255 - b);
