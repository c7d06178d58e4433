/** Known error texts of SDKs that get no answer of STS, or do not know which STS to ask. */
import { regionMissing } from '../domain/aws-endpoint.ts'
import type { ErrorText } from '../domain/error-texts.ts'

const host = 'sts(?:-fips)?(?:\\.[a-z0-9-]{1,40})?\\.amazonaws\\.com(?:\\.cn)?'

/** Texts with the host of STS in them, by the SDK that words them so. */
const silent = [
  // Go, and whatever is written in it
  `https:\\/\\/${host}\\/?"?: .{0,200}?(?:dial tcp: i\\/o timeout|connection refused|network is unreachable|no route to host|context deadline exceeded|TLS handshake timeout|EOF)`,
  `https:\\/\\/${host}\\/?"?: proxyconnect tcp: `,
  `\\blookup ${host}(?: on \\S{1,60})?: (?:i\\/o timeout|read udp|server misbehaving|Temporary failure)`,
  // botocore
  `(?:Connect timeout on|Read timeout on|Could not connect to the) endpoint URL: "https:\\/\\/${host}`,
  // Java
  `Connect to ${host}(?::443)?[^:]{0,120}? failed: (?:connect |Connect |Connection |Read )(?:timed out|refused)`,
  `${host}: (?:Name or service not known|Temporary failure in name resolution)`,
  `UnknownHostException: ${host}`,
  // Node
  `getaddrinfo (?:ENOTFOUND|EAI_AGAIN) ${host}`,
  // PHP
  `cURL error (?:6|7|28): .{0,120}?${host}`,
  // .NET
  `(?:No such host is known\\.|Name or service not known|Resource temporarily unavailable|Connection timed out|Connection refused) \\(${host}`,
  // Ruby
  `Failed to open TCP connection to ${host}`,
]

export const stsErrorTexts: readonly ErrorText[] = [
  {
    fragment: 'Post "https://sts.amazonaws.com/": dial tcp …: i/o timeout',
    leads: [
      { check: 'aws/sts-endpoint-reachable', message: 'global-endpoint-unreachable' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The global STS endpoint does not answer from the pod.',
  },
  {
    fragment: 'sts.amazonaws.com/: dial tcp …: i/o timeout',
    leads: [{ check: 'aws/sts-endpoint-reachable', message: 'global-endpoint-unreachable' }],
    means: 'The global STS endpoint does not answer from the pod.',
  },
  {
    fragment: 'https://sts.…: dial tcp …:443: i/o timeout',
    leads: [
      { check: 'workload/network-leads-to-the-token-endpoint' },
      { check: 'aws/sts-endpoint-reachable', message: 'regional-endpoint-unreachable' },
    ],
    means: 'The STS endpoint does not answer from the pod.',
  },
  {
    fragment: '/lookup sts\\.[a-z0-9-]{1,40}\\.amazonaws\\.com(?:\\.cn)?\\b.{0,200}no such host/',
    leads: [{ check: 'aws/sts-endpoint-reachable' }],
    means: 'There is no STS endpoint of this name, or the pod has no name resolution.',
  },
  ...silent.map(
    (expression): ErrorText => ({
      fragment: `/${expression}/`,
      leads: [{ check: 'aws/sts-endpoint-reachable' }, { check: 'workload/network-leads-to-the-token-endpoint' }],
      means: 'The STS endpoint does not answer from the pod, or its name leads nowhere.',
    }),
  ),
  ...regionMissing.map(
    (fragment): ErrorText => ({
      fragment,
      leads: [{ check: 'aws/sts-endpoint-reachable', message: 'region-missing' }],
      means: 'The SDK was not told which region to call.',
    }),
  ),
]
