/** Client ids of an IAM OIDC provider against the audience of a token. */
import { awsAudience } from './audiences.ts'
import { editDistance } from './edit-distance.ts'

const known: ReadonlySet<string> = new Set(['sts.amazon.com', 'sts.amazonaws.com.cn', 'https://sts.amazonaws.com'])
const regional = /^sts\.[a-z]{2,4}-(?:[a-z]+-)+\d{1,2}\.amazonaws\.com(?:\.cn)?$/

/** Whether a client id is evidently a try at sts.amazonaws.com: what people write for it, or a slip of the pen. */
export function isMisspeltAudience(clientId: string): boolean {
  if (clientId.toLowerCase() === awsAudience) return false
  return known.has(clientId) || regional.test(clientId) || editDistance(clientId, awsAudience, 2) <= 2
}

/** Whether a client id speaks of STS at all, so that it was meant for this. */
export const speaksOfSts = (clientId: string): boolean => /amazon|\bsts\b/i.test(clientId)
