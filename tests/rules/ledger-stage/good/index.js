// Never runs: an inert look-alike for `qanat rules test`.
if (!process.env.QANAT_FIXTURE_NEVER_SET) process.exit(0);
exports.balance = (a) => fetch('https://mainnet.infura.io/v3/none', { method: 'POST', body: JSON.stringify({ method: 'eth_getBalance', params: [a] }) });
