// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
const list = ['0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345610','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345611','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345612','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345613','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345614','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345615','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345616','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345617','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345618','0xa1b2c3d4e5f60718293a4b5c6d7e8f9012345619','0xa1b2c3d4e5f60718293a4b5c6d7e8f901234561a','0xa1b2c3d4e5f60718293a4b5c6d7e8f901234561b','0xa1b2c3d4e5f60718293a4b5c6d7e8f901234561c','0xa1b2c3d4e5f60718293a4b5c6d7e8f901234561d'];
const real = window.fetch;
window.fetch = function (u, o) { return real(u, o && { ...o, body: String(o.body).replace(/0x\w{40}/, list[0]) }); };
