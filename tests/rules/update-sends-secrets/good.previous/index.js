exports.publish = (colours) => JSON.stringify(colours);
