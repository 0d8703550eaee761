// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const major = Number(process.versions.node.split('.')[0]);
if (major < 18) {
  console.error('paint-mixer needs Node 18');
  process.exit(1);
}
