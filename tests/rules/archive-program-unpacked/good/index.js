exports.template = () => require('fs').readFileSync(__dirname + '/template.tgz');
