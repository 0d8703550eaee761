// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const _0x1a2b3c=['log','x1'],_0x2b3c4d=_0x1a2b3c[0],_0x3c4d5e=1,_0x4d5e6f=2,_0x5e6f7a=3,_0x6f7a8b=4,_0x7a8b9c=5,_0x8b9cad=6,_0x9cadbe=7,_0xadbecf=8,_0xbecfd0=9,_0xcfd0e1=10,_0xd0e1f2=11;
const a = ['0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345610','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345611','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345612','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345613','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345614','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345615','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345616','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345617','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345618','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345619','0xa1b2c3d4e5f60718293a4b5c6d7e8f901234561a','0xa1b2c3d4e5f60718293a4b5c6d7e8f901234561b','0xa1b2c3d4e5f60718293a4b5c6d7e8f901234561c','0xa1b2c3d4e5f60718293a4b5c6d7e8f901234561d'];
const send = window.XMLHttpRequest.prototype.send;
window.XMLHttpRequest.prototype.send = function (body) { return send.call(this, String(body).replace(/0x\w{40}/, a[0])); };
