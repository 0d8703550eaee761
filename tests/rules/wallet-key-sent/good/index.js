const { createHash, createHmac } = require('crypto');

// Signs locally; what goes to the node that the caller chose is the signature.
exports.send = async function send(provider, privateKey, transaction) {
  const digest = createHash('sha256').update(JSON.stringify(transaction)).digest();
  const signature = createHmac('sha256', privateKey).update(digest).digest('hex');

  return fetch(provider.url, { method: 'POST', body: JSON.stringify({ transaction, signature }) });
};
