/** Issuers as clouds see them: URLs that are compared byte by byte and have to be reachable from the internet. */

/** RFC 8414 and OpenID Connect Discovery: one last slash is dropped before the path is added. */
export const discoveryUrl = (issuer: string): string => `${withoutLastSlash(issuer)}/.well-known/openid-configuration`

export const withoutLastSlash = (text: string): string => (text.endsWith('/') ? text.slice(0, -1) : text)

/** `https://host/path` as IAM writes it down: without the scheme. */
export const withoutScheme = (issuer: string): string => issuer.replace(/^https:\/\//, '')

/** How two issuers differ; no cloud normalises, so nothing but `same` is accepted. */
export type Likeness = 'same' | 'last-slash' | 'case' | 'scheme' | 'port' | 'different'

/** `https://a.example:8443/x` → host `a.example`, port 8443; undefined for what is no URL with a host. */
export type IssuerUrl = {
  readonly scheme: string
  /** In lower case; IPv6 without its brackets. */
  readonly host: string
  /** As written; the default port counts as written only where the text has it. */
  readonly port?: string
  readonly path: string
  readonly query?: string
  readonly fragment?: string
}

const urlShape = /^([A-Za-z][A-Za-z0-9+.-]*):\/\/(\[[^\]]*\]|[^/?#:[\]]*)(?::(\d*))?(\/[^?#]*)?(\?[^#]*)?(#.*)?$/

/** Parsed by hand: `new URL` drops a default port and rewrites the path, and here every byte counts. */
export function parseIssuer(issuer: string): IssuerUrl | undefined {
  const [, scheme, host, port, path = '', query, fragment] = urlShape.exec(issuer) ?? []
  if (scheme === undefined || host === undefined || host === '' || /[\s@]/.test(host)) return undefined
  return {
    scheme: scheme.toLowerCase(),
    host: host.replace(/^\[|\]$/g, '').toLowerCase(),
    path,
    ...(port === undefined ? {} : { port }),
    ...(query === undefined ? {} : { query: query.slice(1) }),
    ...(fragment === undefined ? {} : { fragment: fragment.slice(1) }),
  }
}

/** The text without its port: `https://a.example:443/x` → `https://a.example/x`. */
const withoutPort = (issuer: string): string => issuer.replace(/^([a-z]+:\/\/(?:\[[^\]]*\]|[^/?#:]*)):\d*/i, '$1')

export function likeness(one: string, other: string): Likeness {
  if (one === other) return 'same'
  if (withoutLastSlash(one) === withoutLastSlash(other)) return 'last-slash'
  if (one.replace(/^http:/, 'https:') === other.replace(/^http:/, 'https:')) return 'scheme'
  if (withoutPort(one) === withoutPort(other)) return 'port'
  if (one.toLowerCase() === other.toLowerCase()) return 'case'
  return 'different'
}

/** Names that mean something only inside the cluster or its network: https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
export function isClusterInternal(host: string): boolean {
  const name = host.toLowerCase().replace(/\.$/, '')
  if (isAddress(name)) return false
  return (
    !name.includes('.') ||
    name.endsWith('.svc') ||
    // Also `.cluster.local`; `.local` is never in public DNS (RFC 6762), nor is `.internal` (ICANN, 2024).
    name.endsWith('.local') ||
    name.endsWith('.internal') ||
    // A Service's name without the cluster's domain, as kubeadm's default once was.
    name === 'kubernetes.default'
  )
}

const isV4 = (text: string): boolean =>
  /^\d{1,3}(\.\d{1,3}){3}$/.test(text) && text.split('.').every((part) => Number(part) <= 255)

export const isAddress = (host: string): boolean => isV4(host) || host.includes(':')

const privateV4 = (text: string): boolean => {
  const [a = 0, b = 0, c = 0] = text.split('.').map(Number)
  return (
    a === 10 ||
    a === 127 ||
    a === 0 ||
    (a === 172 && b >= 16 && b <= 31) ||
    (a === 192 && b === 168) ||
    (a === 169 && b === 254) ||
    // Shared address space of carriers (RFC 6598), which EKS and others use for pods.
    (a === 100 && b >= 64 && b <= 127) ||
    (a === 192 && b === 0 && c === 0)
  )
}

/** The eight groups of an IPv6 text; undefined where it is none. */
function groupsOf(text: string): readonly number[] | undefined {
  const bare = text.split('%')[0] ?? ''
  const tail = /^(.*:)(\d+)\.(\d+)\.(\d+)\.(\d+)$/.exec(bare)
  const hex = (one = '', two = ''): string => (Number(one) * 256 + Number(two)).toString(16)
  const plain = tail === null ? bare : `${tail[1]}${hex(tail[2], tail[3])}:${hex(tail[4], tail[5])}`
  const halves = plain.split('::')
  if (halves.length > 2) return undefined
  const read = (half: string): readonly string[] => (half === '' ? [] : half.split(':'))
  const head = read(halves[0] ?? '')
  const rest = read(halves[1] ?? '')
  const gap = 8 - head.length - rest.length
  if (halves.length === 1 ? gap !== 0 : gap < 1) return undefined
  const all = [...head, ...Array.from({ length: gap }, () => '0'), ...rest]
  return all.every((group) => /^[0-9a-f]{1,4}$/i.test(group))
    ? all.map((group) => Number.parseInt(group, 16))
    : undefined
}

/** Whether no cloud can reach this address: RFC 1918, RFC 6598, link-local, unique-local, loopback, unspecified. */
export function isPrivateAddress(address: string): boolean {
  const text = address.replace(/^\[|\]$/g, '').toLowerCase()
  if (isV4(text)) return privateV4(text)
  const groups = groupsOf(text)
  if (groups === undefined) return false
  const [first = 0] = groups
  const last = groups[7] ?? 0
  const lead = groups.slice(0, 5).every((group) => group === 0)
  if (lead && (groups[5] === 0xffff || groups[5] === 0) && (groups[6] !== 0 || last > 1))
    return privateV4([(groups[6] ?? 0) >> 8, (groups[6] ?? 0) & 255, last >> 8, last & 255].join('.'))
  if (lead && groups[5] === 0 && groups[6] === 0) return true
  return (first & 0xfe00) === 0xfc00 || (first & 0xffc0) === 0xfe80
}

/**
 * Hosts under which a cloud publishes the issuer of its managed clusters. They are public by construction; an address seen from inside a
 * private network (a VPC endpoint, say) says nothing about what the clouds see.
 */
export const isManagedIssuer = (host: string): boolean =>
  /^oidc[.-]eks(-fips)?\.[a-z0-9-]+\.(amazonaws\.com(\.cn)?|api\.(aws|amazonwebservices\.com\.cn))$/.test(host) ||
  /(^|\.)oid?c\.prod-aks\.azure\.(com|us|cn)$/.test(host) ||
  host === 'container.googleapis.com' ||
  host === 'gkehub.googleapis.com'

/** Hosts of object stores, which answer 403 for what they do not show and for what is not there. */
export const isObjectStore = (host: string): boolean =>
  /(^|\.)s3([.-][a-z0-9-]+)*\.amazonaws\.com(\.cn)?$/.test(host) ||
  /\.(blob|dfs|web|z\d+\.web)\.core\.(windows\.net|usgovcloudapi\.net|chinacloudapi\.cn)$/.test(host) ||
  /(^|\.)storage\.googleapis\.com$/.test(host) ||
  host === 'storage.cloud.google.com' ||
  /\.cloudfront\.net$/.test(host) ||
  /\.(digitaloceanspaces|r2\.cloudflarestorage)\.com$/.test(host) ||
  /\.r2\.dev$/.test(host)

/** `iss` of the tokens in Secrets before bound tokens: https://kubernetes.io/docs/reference/access-authn-authz/service-accounts-admin/ */
export const legacyIssuer = 'kubernetes/serviceaccount'

/** The issuer that a cloud's or the API server's error text quotes. */
export function issuerIn(text: string): string | undefined {
  for (const shape of quoting) {
    const issuer = shape.exec(text)?.[1]
    if (issuer !== undefined) return issuer
  }
  return undefined
}

/** Whether somebody has hidden a part of this issuer, as people do with what they paste: it can be compared with none. */
export const isMasked = (issuer: string): boolean =>
  /x{3,}|\*{2,}|\.{3}|[<>…]/i.test(issuer) ||
  (/^https:\/\/oidc\.eks\./.test(issuer) && !/\/id\/[0-9A-F]{32}$/.test(issuer))

const quoting: readonly RegExp[] = [
  /Assertion Issuer: ?'([^'\s]{1,512})'/,
  /presented assertion issuer '([^'\s]{1,512})'/,
  /No OpenIDConnect provider found in your account for (https?:\/\/[^\s"',;]{1,512})/,
  /metadata of identity provider (https?:\/\/[^\s"',;]{1,512}?)\.?(?:\s|$)/,
  /The issuer in ID Token (https?:\/\/[^\s"',;]{1,512}) does not match/,
]
