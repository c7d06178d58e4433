/** What kube-apiserver makes of its --service-account-* flags. */

/** Go's durations in seconds, as flags take them: `24h`, `1h30m`; undefined for what is none. */
export function goSeconds(text: string): number | undefined {
  if (!/^(?:\d+(?:\.\d+)?(?:h|m|s|ms|us|ns))+$/.test(text)) return text === '0' ? 0 : undefined
  const units: { readonly [unit: string]: number } = { h: 3600, m: 60, s: 1, ms: 1e-3, us: 1e-6, ns: 1e-9 }
  let seconds = 0
  for (const [, number = '0', unit = ''] of text.matchAll(/(\d+(?:\.\d+)?)(ms|us|ns|h|m|s)/g))
    seconds += Number(number) * (units[unit] ?? 0)
  return seconds
}

/** One hour to 2^32 seconds; zero leaves the default: https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/kubeapiserver/options/authentication.go */
export const expirationFits = (seconds: number): boolean => seconds === 0 || (seconds >= 3600 && seconds <= 2 ** 32)

/** Whether Go's url.Parse refuses it; only a text with a colon is taken for a URL at all. */
export function isMalformedUrl(issuer: string): boolean {
  if (!issuer.includes(':')) return false
  const [, rest] = /^[a-zA-Z][a-zA-Z0-9+.-]*:(.*)$/s.exec(issuer) ?? []
  if (rest === undefined || /%(?![0-9a-fA-F]{2})/.test(issuer)) return true
  for (const letter of issuer) if (letter.charCodeAt(0) < 0x20 || letter.charCodeAt(0) === 0x7f) return true
  if (!rest.startsWith('//')) return false
  const authority = rest.slice(2).split(/[/?#]/)[0] ?? ''
  return /[\s<>"]/.test(authority) || /:(?!\d*$)/.test(authority.replace(/^\[[^\]]*\]/, '').replace(/^.*@/, ''))
}

/** Why an issuer has no discovery document; undefined where it can have one: https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/serviceaccount/openidmetadata.go */
export function notDiscoverable(issuer: string): string | undefined {
  if (issuer === '') return 'is empty'
  if (!/^https:/i.test(issuer)) return 'is not https'
  return issuer.includes('?') ? 'has a query' : undefined
}
