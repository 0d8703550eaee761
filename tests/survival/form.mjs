// Bad examples whose harm is only in how their source is written: characters that nobody sees, an obfuscator's names around
// nothing, code pushed out of sight.  Printed anew they are not bad any more, so that the mutations that print anew count
// them apart.
export const formExamples = new Set([
  'dependency-pinned-payload/bad',
  'drop-address-hidden/bad',
  'hook-obfuscated/bad',
  'hook-obfuscated-acts/bad',
  'invisible-text-in-code/bad',
  'obfuscated-system-access/bad',
  'padded-code/bad',
  'text-against-readers/bad',
  'text-against-readers-at-start/bad',
]);
