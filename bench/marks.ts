/** The identifiers, times and managed fields that a cluster puts on its objects: made up, and the same every time. */

type Meta = { readonly uid: string; readonly resourceVersion: string; readonly creationTimestamp: string }

// Deterministic without being regular: a multiplicative hash, so that texts do not compress better than a cluster's.
export const hex = (seed: number, digits: number): string => {
  let text = ''
  for (
    let state = (seed + 1) * 2654435761;
    text.length < digits;
    state = Math.imul(state ^ (state >>> 15), 2246822519)
  ) {
    text += ((state >>> 0) % 0x10000).toString(16).padStart(4, '0')
  }
  return text.slice(0, digits)
}

export const uid = (seed: number): string => {
  const digits = hex(seed, 32)
  return [
    digits.slice(0, 8),
    digits.slice(8, 12),
    `4${digits.slice(13, 16)}`,
    `a${digits.slice(17, 20)}`,
    digits.slice(20),
  ].join('-')
}

export const meta = (seed: number): Meta => ({
  uid: uid(seed),
  resourceVersion: String(100_000 + seed),
  creationTimestamp: new Date(Date.UTC(2026, 0, 1) + seed * 1000).toISOString().replace('.000', ''),
})

export const namespaces = 100
export const namespaceOf = (index: number): string => `team-${String(index % namespaces).padStart(3, '0')}`
export const account = '111122223333'
export const issuerUrl = 'https://oidc.eks.us-west-2.amazonaws.com/id/EXAMPLED539D4633E53DE1B71EXAMPLE'

export const managed = (manager: string, time: string, fields: object, subresource?: string): object => ({
  manager,
  operation: 'Update',
  apiVersion: 'v1',
  time,
  fieldsType: 'FieldsV1',
  fieldsV1: fields,
  ...(subresource === undefined ? {} : { subresource }),
})
