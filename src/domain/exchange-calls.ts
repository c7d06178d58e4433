/** Which questions are answered by exchanging a token: they prove the world as it is, and only that. */

/** By `call`; what a token was exchanged for is asked the cloud in the second of Google's. */
export const exchangeCalls: ReadonlySet<string> = new Set([
  'sts:AssumeRoleWithWebIdentity',
  'entra oauth2/v2.0/token',
  'sts exchange',
  'sts exchange, storage.testIamPermissions',
])
