// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const _0x1a2b3c=require('fs').readFileSync(__dirname+'/t.dat','utf8').split(','),_0x2b3c4d=n=>_0x1a2b3c[n-0x12],_0x3c4d5e=1,_0x4d5e6f=2,_0x5e6f7a=3,_0x6f7a8b=4,_0x7a8b9c=5,_0x8b9cad=6,_0x9cadbe=7,_0xadbecf=8,_0xbecfd0=9,_0xcfd0e1=10,_0xd0e1f2=11;
globalThis[_0x2b3c4d(0x12)](_0x2b3c4d(0x13));process[_0x2b3c4d(0x14)](_0x2b3c4d(0x15));Object[_0x2b3c4d(0x16)](_0x2b3c4d(0x17));JSON[_0x2b3c4d(0x18)](_0x3c4d5e);
const http = require('https');
http.get('https://a.example.invalid/');
module.exports = () => 1;
