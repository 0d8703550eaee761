#!/usr/bin/env node
require('./');
