/** What the AWS SDKs say when they pass over the mechanism that a pod is given. */

export type Sdk = 'go' | 'python' | 'javascript' | 'java'
export type HostRefusal = { readonly sdk: Sdk; readonly host: string }

const quotes = `[\\\\"'\`]{0,6}`
const refusals: readonly (readonly [Sdk, RegExp])[] = [
  [
    'go',
    new RegExp(`invalid endpoint host, ${quotes}([^"'\\\\\`,\\s]{1,253})${quotes}, only loopback hosts are allowed`),
  ],
  [
    'python',
    new RegExp(`Unsupported host ${quotes}([^"'\\\\\`\\s]{1,253}?)${quotes}\\.? {1,3}Can only retrieve metadata from`),
  ],
  ['javascript', /(\S{1,253}) is not a valid container metadata service hostname/],
  [
    'java',
    /full URI \(?https?:\/\/(\[[^\]\s]{1,60}\]|[^/:\s)]{1,253})[^\s)]{0,200}\)?.{0,120}? has an invalid host\. Host should resolve/,
  ],
]

/** Line ends and the escapes of JSON logs count as blanks. */
const plainly = (text: string): string => text.slice(0, 20_000).replace(/(?:\\[ntr]|\s)+/g, ' ')
const bare = (host: string): string => host.replace(/^\[|\]$/g, '').toLowerCase()

/** The host that an SDK would not ask for credentials; undefined where the text does not say it whole. */
export function refusedHostIn(text: string): HostRefusal | undefined {
  const plain = plainly(text)
  for (const [sdk, pattern] of refusals) {
    const host = pattern.exec(plain)?.[1]
    if (host !== undefined) return { sdk, host: bare(host) }
  }
  return undefined
}

export const lacksStsModule = (text: string): boolean =>
  /To use (?:web identity tokens, the ['"\\]{0,4}sts['"\\]{0,4} service|assume role profiles the aws-java-sdk-sts) module must be on the class path/.test(
    plainly(text),
  )

/** The Pod Identity agent's own addresses: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-how-it-works.html */
export const isAgent = (host: string): boolean => host === '169.254.170.23' || host === 'fd00:ec2::23'

/** `refused`: an address that no SDK takes over http; `open`: a name that may lead anywhere. */
export function judgeHost(
  uri: string,
): { readonly host: string; readonly taken: 'yes' | 'refused' | 'open' } | undefined {
  const url = URL.parse(uri)
  if (url === null || url.hostname === '') return undefined
  const host = bare(url.hostname)
  if (isAgent(host) || host === 'localhost' || host === '169.254.170.2') return { host, taken: 'yes' }
  if (/^127\.\d+\.\d+\.\d+$/.test(host) || host === '::1') return { host, taken: 'yes' }
  const isAddress = /^\d+\.\d+\.\d+\.\d+$/.test(host) || host.includes(':')
  return { host, taken: isAddress && url.protocol === 'http:' ? 'refused' : 'open' }
}

/** From which version on: https://docs.aws.amazon.com/eks/latest/userguide/pod-id-minimum-sdk.html */
export const podIdentitySince: { readonly [sdk in Sdk]: string } = {
  go: 'AWS SDK for Go 1.47.11, or v2 of release-2023-11-14',
  python: 'boto3 and botocore 1.34.41, or AWS CLI 2.15.0',
  javascript: 'AWS SDK for JavaScript 3.458.0',
  java: 'AWS SDK for Java 2.21.30',
}
