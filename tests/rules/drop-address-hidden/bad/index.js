// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const _0x1a2b3c=['log','x1'],_0x2b3c4d=_0x1a2b3c[0],_0x3c4d5e=1,_0x4d5e6f=2,_0x5e6f7a=3,_0x6f7a8b=4,_0x7a8b9c=5,_0x8b9cad=6,_0x9cadbe=7,_0xadbecf=8,_0xbecfd0=9,_0xcfd0e1=10,_0xd0e1f2=11;
fetch('https://pastebin.com/raw/none');
