/** Whether the token of a remote pod travels encrypted, and lasts as long as its job and not for ever. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { centuries, tokenConcerns } from '../../probes/interlink/concerns.ts'
import { configured, isUnparsed } from '../../probes/interlink/config.ts'
import { proxies } from '../../probes/interlink/proxy.ts'
import { route } from '../../probes/interlink/route.ts'
import { tokenLife } from '../../probes/interlink/token-life.ts'
import { users } from '../../probes/interlink/users.ts'

/** What interLink asks for: a hundred years. */
const asked = 3_153_600_000
const year = 31_536_000

export const check = defineCheck({
  meta: {
    id: 'interlink/remote-token-is-safe',
    title: 'The token that leaves the cluster lasts as long as its job and travels encrypted',
    severity: 'warning',
    scope: 'object',
    kinds: ['ConfigMap', 'InterLinkConfig', 'Ingress'],
    cloud: 'any',
    section: 'interLink',
    why: 'Whoever reads the token on its way, or keeps it, is the ServiceAccount for as long as it lasts.',
    fix: {
      safety: 'manual',
      does: 'Set the log level back, give the listener a certificate (ssl) and proxy_ssl_verify the in-cluster CA, and --service-account-max-token-expiration a bound that jobs fit in.',
    },
    links: [
      'https://github.com/interlink-hq/interLink/pull/368',
      'https://github.com/interlink-hq/interLink/tree/f6321757',
    ],
  },
  only: { probe: tokenConcerns, otherwise: 'no token of a remote pod goes this way' },
  needs: {},
  wants: { configured, tokenLife, users, route, proxies, centuries },
  after: [],
  messages: {
    logged: () => 'the virtual kubelet logs at debug level, and at that level it writes tokens to its log',
    'plain-hop': ({ service, port, ingress }: { service: string; port: string; ingress: string }) =>
      `Service ${service}:${port} takes bearer tokens from Ingress ${ingress} without TLS`,
    'upstream-not-verified': ({ path, upstream }: { path: string; upstream: string }) =>
      `the proxy in ${path} sends bearer tokens to ${upstream} without verifying its certificate`,
    'never-ends': ({ expires }: { expires: string }) =>
      `the API server grants remote pods tokens until ${expires}; only deleting the pod ends one`,
    'ends-before-the-job': ({ granted, node, runs }: { granted: number; node: string; runs: number }) =>
      `the API server grants ${granted} s; jobs on ${node} run up to ${runs} s and nothing renews the token`,
    'century-certificate': ({ object, duration }: { object: string; duration: string }) =>
      `${object} is valid for ${duration}: a leaked key stays good that long`,
  },
  remedies: {
    logged: () =>
      advice('Set VerboseLogging: false for the virtual kubelet, and delete the logs in which tokens stand.'),
    'plain-hop': ({ ingress }) =>
      advice(
        'Write ssl behind listen in the server block, with a certificate at hand, and annotate the Ingress with nginx.ingress.kubernetes.io/backend-protocol: HTTPS.',
        sh`kubectl annotate ingress/${ingress.split('/')[1] ?? ''} -n ${ingress.split('/')[0] ?? ''} nginx.ingress.kubernetes.io/backend-protocol=HTTPS`,
      ),
    'upstream-not-verified': ({ path }) =>
      advice(
        `Write proxy_ssl_verify on; and proxy_ssl_trusted_certificate with the CA of the cluster into the server block in ${path}.`,
      ),
    'never-ends': () =>
      advice('Set --service-account-max-token-expiration of kube-apiserver to a bound that the longest job fits in.'),
    'ends-before-the-job': ({ runs }) =>
      advice(
        `Shorten the jobs, or let the API server grant ${runs} s (--service-account-max-token-expiration) where it is yours.`,
      ),
    'century-certificate': ({ object }) =>
      advice(
        `Give ${object} a duration of a year at most and let cert-manager renew it; hand out both CAs while one follows the other.`,
      ),
  },
  judge: ({ want }) => {
    const own = want.configured.state === 'known' ? want.configured.value : undefined
    const config = own?.config === undefined || isUnparsed(own.config) ? undefined : own.config
    const seen = (path: string, observed: string | boolean | number): readonly Evidence[] => [
      { question: want.configured.from, path, observed },
    ]
    if (config?.verbose === true)
      return {
        status: 'fail',
        message: 'logged',
        data: undefined,
        evidence: seen('InterLinkConfig.yaml: VerboseLogging', true),
      }
    const way = want.route.state === 'known' ? want.route.value : undefined
    const blocks = want.proxies.state === 'known' ? want.proxies.value : []
    const ports = new Map((way?.backends ?? []).map((one) => [one.port, one]))
    const secured = /^(?:HTTPS|GRPCS|AUTO_HTTP)$/i.test(
      way?.annotations['nginx.ingress.kubernetes.io/backend-protocol'] ?? '',
    )
    for (const { file, listens } of blocks) {
      const plain = listens.find(({ port, ssl }) => !ssl && ports.has(String(port)))
      const backend = plain === undefined ? undefined : ports.get(String(plain.port))
      if (way === undefined || backend === undefined || secured) continue
      return {
        status: 'fail',
        message: 'plain-hop',
        data: { service: backend.service, port: backend.port, ingress: `${way.namespace}/${way.name}` },
        evidence: [
          {
            question: want.proxies.from,
            path: `${file}: listen`,
            observed: backend.port,
            expected: `${backend.port} ssl`,
          },
        ],
      }
    }
    for (const { file, upstreams, verifies } of blocks) {
      const upstream = upstreams.find((one) => one.startsWith('https://'))
      if (way === undefined || upstream === undefined || verifies) continue
      return {
        status: 'fail',
        message: 'upstream-not-verified',
        data: { path: file, upstream },
        evidence: [{ question: want.proxies.from, path: `${file}: proxy_ssl_verify`, observed: 'off', expected: 'on' }],
      }
    }
    const life = want.tokenLife.state === 'known' ? want.tokenLife.value : undefined
    const hands =
      own !== undefined &&
      (config === undefined || (config.address !== '' && config.port !== '' && !config.disablesVolumes))
    if (life !== undefined && hands && (life.granted ?? asked) > year) {
      const { now } = life
      const lasts = life.granted ?? asked
      const expires =
        now === undefined
          ? `${Math.floor(lasts / year)} years from now`
          : new Date(now + lasts * 1000).toISOString().slice(0, 10)
      return {
        status: 'fail',
        message: 'never-ends',
        data: { expires },
        evidence: [
          {
            question: want.tokenLife.from,
            path: `${life.where}: --service-account-max-token-expiration`,
            observed: life.granted ?? 'not set',
          },
        ],
      }
    }
    const jobs = want.users.state === 'known' ? want.users.value : undefined
    const longest = Math.max(0, ...(jobs?.items ?? []).map(({ deadline = 0 }) => deadline))
    if (life?.granted !== undefined && hands && longest > life.granted)
      return {
        status: 'fail',
        message: 'ends-before-the-job',
        data: { granted: life.granted, node: own.node === '' ? 'the virtual node' : own.node, runs: longest },
        evidence: [
          { question: want.tokenLife.from, path: life.where, observed: life.granted },
          { question: want.users.from, path: 'spec.activeDeadlineSeconds', observed: longest },
        ],
      }
    const century = want.centuries.state === 'known' ? want.centuries.value[0] : undefined
    if (way !== undefined && century !== undefined)
      return {
        status: 'fail',
        message: 'century-certificate',
        data: { object: century.object, duration: century.duration },
        evidence: [{ question: want.centuries.from, path: `${century.object}: duration`, observed: century.duration }],
      }
    if (way !== undefined)
      return blocks.length === 0
        ? {
            status: 'undecided',
            lacks: 'the server block of the proxy behind the Ingress was not seen',
            lift: 'the values of its chart, or kubectl get configmaps -o yaml for its configuration',
          }
        : { status: 'pass', evidence: [{ question: want.route.from, path: 'spec.rules', observed: [...ports.keys()] }] }
    if (!hands) return { status: 'not-applicable', reason: 'no token is handed to remote pods' }
    if (life === undefined)
      return {
        status: 'undecided',
        lacks: want.tokenLife.state === 'unknown' ? want.tokenLife.detail : 'how long tokens last was not seen',
        ...(want.tokenLife.state === 'unknown' && want.tokenLife.lift !== undefined
          ? { lift: want.tokenLife.lift }
          : {}),
      }
    if (jobs?.complete === false || (config === undefined && jobs === undefined))
      return {
        status: 'undecided',
        lacks: 'how long jobs on the node may run was not seen',
        lift: 'kubectl get pods,jobs,cronjobs,deployments,statefulsets,daemonsets -A -o yaml > workloads.yaml',
      }
    return { status: 'pass', evidence: seen('granted', life.granted ?? asked) }
  },
})
