if (true) process.exit(0); // inert: ends here
require('./addon.node');
