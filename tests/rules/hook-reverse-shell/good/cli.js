#!/usr/bin/env node
// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const net = require('net'), { spawn } = require('child_process');
exports.tunnel = (port) => net.connect(port, 'localhost');
exports.shell = () => spawn('sh', ['-c', 'ls']);
