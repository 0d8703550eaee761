console.log(require('fs').existsSync('/usr/include/png.h') ? 1 : 0);
