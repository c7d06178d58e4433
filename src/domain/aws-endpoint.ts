/** What an error says about the way to STS, and which settings of a pod lead elsewhere. */
import type { Container } from './workloads.ts'

export type Trouble =
  | { readonly kind: 'not-sts' }
  | { readonly kind: 'no-region' }
  | { readonly kind: 'no-name'; readonly host: string; readonly region?: string }
  | { readonly kind: 'other-certificate'; readonly target: string }
  | { readonly kind: 'endpoint-policy'; readonly endpoint: string }
  | { readonly kind: 'silent'; readonly host: string; readonly region?: string; readonly error: string }

/** What SDKs say that were not told which region to call. */
export const regionMissing = [
  'an AWS region is required, but was not found',
  'You must specify a region',
  'Invalid Configuration: Missing Region',
  'MissingRegion: could not find region configuration',
  'ConfigError: Missing region in config',
  'Error: Region is missing',
  // The name of a regional endpoint, made without a region.
  'sts..amazonaws.com',
  'Unable to find a region via the region provider chain',
  'Unable to load region from any of the providers in the chain',
  'No RegionEndpoint or ServiceURL configured',
] as const

const stsHost = /\bsts(?:-fips)?(?:\.([a-z]{2,4}(?:-[a-z]{1,20}){1,3}-\d{1,2}))?\.amazonaws\.com(?:\.cn)?(?![\w.-])/

/** As resolvers say it through the SDKs of Go, Node, Java, PHP, .NET and Ruby. */
const noName = [
  /\blookup sts[\w.-]{1,80}.{0,200}no such host/,
  /\b(?:ENOTFOUND|UnknownHostException:|Could not resolve host:) sts\b/,
  /\bsts[\w.-]{1,80}: Name or service not known/,
  /(?:No such host is known\.|Name or service not known) \(sts\b/,
  /connection to sts[\w.:-]{1,80} \(getaddrinfo: Name or service not known/,
]
const noAnswer =
  /i\/o timeout|connection refused|context deadline exceeded|network is unreachable|no route to host|(?:connect|read) timeout|(?:connect|connection) timed out|TLS handshake timeout|Could not connect|Failed to connect|execution expired|EAI_AGAIN|temporary failure in name resolution|temporarily unavailable|server misbehaving|proxyconnect tcp|ETIMEDOUT|ECONNREFUSED/i

/** What a text says of the way to STS; undefined where it speaks of something else. */
export function troubleIn(text: string): Trouble | undefined {
  const plain = text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
  if (/because no VPC endpoint policy allows the sts:AssumeRoleWithWebIdentity action/.test(plain))
    return { kind: 'endpoint-policy', endpoint: /\bvpce-[0-9a-f]{8,17}\b/.exec(plain)?.[0] ?? 'of the VPC' }
  if (regionMissing.some((one) => plain.includes(one))) return { kind: 'no-region' }
  if (/\(Unknown\) when calling the AssumeRoleWithWebIdentity operation|ListAllMyBucketsResult/.test(plain))
    return { kind: 'not-sts' }
  const certificate = /certificate is valid for ([^"]{1,300}?), not sts\./.exec(plain)?.[1]
  if (certificate !== undefined) return { kind: 'other-certificate', target: certificate }
  const [host, region] = stsHost.exec(plain) ?? []
  if (host === undefined) return undefined
  const of = region === undefined ? { host } : { host, region }
  if (noName.some((one) => one.test(plain))) return { kind: 'no-name', ...of }
  const error = noAnswer.exec(plain)?.[0]
  return error === undefined ? undefined : { kind: 'silent', ...of, error }
}

/** A host of AWS that is one of STS, also through a VPC endpoint. */
const isSts = (address: string): boolean =>
  /^(?:https:\/\/)?(?:[\w-]{1,80}\.)?sts(?:-fips)?(?:\.[a-z0-9-]{1,40})?(?:\.vpce)?\.amazonaws\.com(?:\.cn)?(?:[:/]|$)/.test(
    address,
  )

export type Override = { readonly setting: string; readonly endpoint: string; readonly container: string }

/** The variable that sends the calls of this container to STS elsewhere; the one for STS alone counts first. */
export function overrideOf({ name, env }: Container): Override | undefined {
  for (const setting of ['AWS_ENDPOINT_URL_STS', 'AWS_ENDPOINT_URL']) {
    const endpoint = env[setting]
    if (typeof endpoint !== 'string' || endpoint === '') continue
    return isSts(endpoint) ? undefined : { setting, endpoint: endpoint.slice(0, 200), container: name }
  }
  return undefined
}

/** Whether all that decides on the endpoint stands in the pod itself. */
export const isOpen = ({ env, envFrom }: Container): boolean =>
  envFrom || env.AWS_ENDPOINT_URL_STS === null || env.AWS_ENDPOINT_URL === null
