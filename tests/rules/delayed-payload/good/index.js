// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
!function(e,t){for(var n=[],r=0;r<e.length;r++)n.push(t(e[r]));return n}([1,2,3],function(e){return e+1});
module.exports=function(e){return Buffer.from(e,'base64').toString()};
