'use strict';

module.exports = function pad(text, width) {
  return String(text).padEnd(width);
};
