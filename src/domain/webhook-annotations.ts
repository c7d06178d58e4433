/** The optional annotations of the pod identity webhook, and what is evidently meant by a value that it cannot read. */

export const regionalEndpoints = 'eks.amazonaws.com/sts-regional-endpoints'
export const tokenExpiration = 'eks.amazonaws.com/token-expiration'

/** In seconds. */
export const leastExpiration = 600
const usual = 86_400

const secondsIn: { readonly [unit: string]: number } = { s: 1, m: 60, h: 3600, d: 86_400 }
/** The seconds that were evidently meant by "24h" or "3600 s". */
export function meantExpiration(value: string): number {
  const [, digits = '', unit = 's'] = /^\s*(\d{1,7})\s*([smhd])?/i.exec(value) ?? []
  const seconds = Number(digits) * (secondsIn[unit.toLowerCase()] ?? 1)
  return digits === '' ? usual : Math.min(usual, Math.max(leastExpiration, seconds))
}

/** Whether regional endpoints are meant to be used, by words such as "regional" and "legacy". */
export const meantRegional = (value: string): 'true' | 'false' =>
  /^(?:legacy|global|no|off|disabled?|never)$/i.test(value.trim()) ? 'false' : 'true'
