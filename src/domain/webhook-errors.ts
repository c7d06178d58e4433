/** What a text says of a call of the AWS identity webhook that the API server could not make. */

export type CallTrouble = {
  readonly kind: 'no-endpoints' | 'late' | 'uncertified'
  readonly webhook: string
  readonly namespace: string
  readonly service: string
  /** How long the API server was to wait. */
  readonly seconds: number
}

const name = '((?:pod-identity-webhook|iam-for-pods)\\.amazonaws\\.com)'
const call = new RegExp(`failed calling webhook \\\\*"${name}\\\\*"`, 'i')
const address = /https:\/\/([a-z0-9-]{1,63})\.([a-z0-9-]{1,63})\.svc(?::\d{1,5})?\/[^\s"]{0,80}?timeout=(\d{1,3})s/
export const noEndpoints = /no endpoints available for service/
export const slow = /context deadline exceeded|i\/o timeout/
export const noCertificate = /no serving certificate available for the webhook, is the CSR approved\?/

/** Undefined for texts about other webhooks, about certificates that are not trusted, and of calls that were passed over. */
export function callTroubleIn(text: string): CallTrouble | undefined {
  const plain = text.slice(0, 20_000)
  if (noCertificate.test(plain))
    return {
      ...{ kind: 'uncertified', webhook: 'pod-identity-webhook.amazonaws.com', namespace: 'NAMESPACE' },
      ...{ service: 'pod-identity-webhook', seconds: 10 },
    }
  const webhook = call.exec(plain)?.[1]
  if (webhook === undefined || /failing open/i.test(plain)) return undefined
  const [, service = 'pod-identity-webhook', namespace = 'NAMESPACE', seconds = '10'] = address.exec(plain) ?? []
  const place = { webhook, namespace, service, seconds: Number(seconds) }
  if (noEndpoints.test(plain)) return { kind: 'no-endpoints', ...place }
  return slow.test(plain) ? { kind: 'late', ...place } : undefined
}
