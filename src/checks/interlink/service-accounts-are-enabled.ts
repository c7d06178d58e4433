/** Whether remote pods are told where the Kubernetes API is, and get a token for it. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { isInternal } from '../../domain/interlink-config.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import { configured, isUnparsed } from '../../probes/interlink/config.ts'
import { apiClusterIp, kubelet, mayMakeTokens } from '../../probes/interlink/kubelet.ts'
import { users } from '../../probes/interlink/users.ts'

type Node = { readonly node: string }

const values =
  'interlink.kubernetesApiAddr, interlink.kubernetesApiPort, interlink.kubernetesApiCaCrt and interlink.disableProjectedVolumes=false'
const look = ({ node }: Node): string =>
  /^[a-z0-9.-]+$/.test(node)
    ? sh`kubectl get configmaps -A --field-selector ${`metadata.name=${node}-virtual-kubelet-config`} -o yaml`
    : 'kubectl get configmaps -A -o name'
const first = [0, 3, 8] as const

export const check = defineCheck({
  meta: {
    id: 'interlink/service-accounts-are-enabled',
    title: 'The virtual kubelet hands pods an API address and a service account token',
    severity: 'error',
    scope: 'object',
    kinds: ['ConfigMap', 'InterLinkConfig'],
    cloud: 'any',
    section: 'interLink',
    why: 'A pod on a compute site far away finds the Kubernetes API only by what the virtual kubelet passes on.',
    fix: {
      safety: 'review',
      does: 'Set interlink.kubernetesApiAddr, kubernetesApiPort, kubernetesApiCaCrt and disableProjectedVolumes=false in the values of the chart; the PEM has to survive its indentation.',
    },
    links: [
      'https://github.com/interlink-hq/interLink/pull/368',
      'https://github.com/interlink-hq/interLink/tree/f6321757',
      'https://github.com/interlink-hq/interLink/pull/524',
    ],
  },
  only: { probe: configured, otherwise: 'it is no configuration of interLink' },
  needs: { configured },
  wants: { users, kubelet, mayMakeTokens, apiClusterIp },
  after: [],
  messages: {
    'config-does-not-parse': ({ node, line, reason }: Node & { line: number; reason: string }) =>
      `InterLinkConfig.yaml of ${node} does not parse at line ${line}: ${reason}`,
    'version-too-old': ({ version }: { version: string }) =>
      `interLink ${version} passes no service account to remote pods; 0.3.8 was the first that could`,
    'projected-volumes-disabled': ({ node }: Node) =>
      `${node} runs with DisableProjectedVolumes: true, so no pod on it receives a token`,
    'address-and-port-missing': ({ node }: Node) =>
      `pods on ${node} get no KUBERNETES_SERVICE_HOST: KubernetesApiAddr and KubernetesApiPort are not set`,
    'port-missing': ({ address }: { address: string }) =>
      `KubernetesApiAddr is ${address} but KubernetesApiPort is not set; interLink then passes neither`,
    'address-missing': ({ port }: { port: string }) =>
      `KubernetesApiPort is ${port} but KubernetesApiAddr is not set; interLink then passes neither`,
    'address-malformed': ({ address, port }: { address: string; port: string }) =>
      `KubernetesApiAddr ${address} and KubernetesApiPort ${port} are no host and port: clients in pods put them together as https://HOST:PORT`,
    'internal-address': ({ address }: { address: string }) =>
      `KubernetesApiAddr ${address} exists only inside the cluster; remote jobs cannot reach it`,
    'may-not-create-tokens': ({ serviceAccount }: { serviceAccount: string }) =>
      `the virtual kubelet runs as ${serviceAccount}, which may not create serviceaccounts/token`,
    'pod-data-not-exported': ({ value }: { value: string }) =>
      `the plugin runs with ExportPodData ${value}, so mounted tokens never reach the job`,
    'pod-data-missing': ({ pod, version, reason }: { pod: string; version: string; reason: string }) =>
      `ConfigMaps or Secrets of ${pod} did not reach interLink ${version}: ${reason}`,
  },
  remedies: {
    'config-does-not-parse': ({ line, node }) =>
      advice(
        `Correct line ${line} of InterLinkConfig.yaml in the ConfigMap, or use a release of the chart that indents all lines of the PEM alike; then restart the virtual kubelet.`,
        look({ node }),
      ),
    'version-too-old': () => advice('Upgrade interLink to 0.3.8 or later, chart, virtual kubelet and plugin together.'),
    'projected-volumes-disabled': (data) =>
      advice(
        'Set interlink.disableProjectedVolumes=false in the values of the chart, and make remote pods anew.',
        look(data),
      ),
    'address-and-port-missing': (data) =>
      advice(
        `Set ${values} in the values of the chart: the address is the published one, not that inside the cluster.`,
        look(data),
      ),
    'port-missing': () =>
      advice('Set interlink.kubernetesApiPort in the values of the chart, and make remote pods anew.'),
    'address-missing': () =>
      advice('Set interlink.kubernetesApiAddr in the values of the chart, and make remote pods anew.'),
    'address-malformed': () =>
      advice(
        'Set interlink.kubernetesApiAddr to a name or an IP address alone, without scheme, path and port, and interlink.kubernetesApiPort to a number up to 65535.',
      ),
    'internal-address': () =>
      advice(
        'Publish the paths /api and /apis at an address that the compute site reaches, and set that as interlink.kubernetesApiAddr.',
      ),
    'may-not-create-tokens': ({ serviceAccount }) =>
      advice(
        `Add the rule {apiGroups: [""], resources: [serviceaccounts/token], verbs: [create]} to the ClusterRole of ${serviceAccount}.`,
        sh`kubectl auth can-i create serviceaccounts/token --as ${`system:serviceaccount:${serviceAccount.replace('/', ':')}`} -A`,
      ),
    'pod-data-not-exported': () =>
      advice("Set ExportPodData: true in the plugin's configuration, and SHARED_FS in its environment."),
    'pod-data-missing': () =>
      advice('Upgrade interLink to 0.6.2 or later: before, ConfigMaps that are projected without items arrive empty.'),
  },
  judge: ({ have, want }) => {
    if (have.configured.state === 'absent')
      return { status: 'not-applicable', reason: 'it is no configuration of interLink' }
    const { value, from } = have.configured
    const { config, said } = value
    const node = value.node === '' ? 'the virtual node' : value.node
    const heard = said.map(ofError)
    const seen = (path: string, observed: string | boolean): readonly Evidence[] => [
      { question: from, path: `InterLinkConfig.yaml: ${path}`, observed },
      ...heard,
    ]
    const told = (pattern: RegExp): string | undefined => said.find(({ text }) => pattern.test(text))?.text
    if (isUnparsed(config)) {
      const { line, reason } = config
      return {
        status: 'fail',
        message: 'config-does-not-parse',
        data: { node, line, reason },
        evidence: seen(`line ${line}`, reason),
      }
    }
    const version = want.kubelet.state === 'known' ? want.kubelet.value.version : undefined
    if (version !== undefined && isBefore(version, first))
      return {
        status: 'fail',
        message: 'version-too-old',
        data: { version },
        evidence: [{ question: want.kubelet.from, path: 'spec.template.spec.containers[0].image', observed: version }],
      }
    const own = want.users.state === 'known' ? want.users.value : undefined
    const used = own?.items.some(({ mountsToken }) => mountsToken) === true
    const disabled = told(/InterLink VK has DisableProjectedVolumes set to true/) !== undefined
    if (disabled || (config?.disablesVolumes === true && used))
      return {
        status: 'fail',
        message: 'projected-volumes-disabled',
        data: { node },
        evidence: seen('DisableProjectedVolumes', true),
      }
    const unset = told(/InterLink configuration does not contains/) !== undefined
    const { address = '', port = '' } = config ?? {}
    const neither = config?.ofKubelet === true && address === '' && port === ''
    if ((neither && used) || (unset && (config === undefined || neither)))
      return {
        status: 'fail',
        message: 'address-and-port-missing',
        data: { node },
        evidence: seen('KubernetesApiAddr', ''),
      }
    if (address !== '' && port === '')
      return { status: 'fail', message: 'port-missing', data: { address }, evidence: seen('KubernetesApiPort', '') }
    if (port !== '' && address === '')
      return { status: 'fail', message: 'address-missing', data: { port }, evidence: seen('KubernetesApiAddr', '') }
    if (address !== '' && port !== '' && !isPlace(address, port))
      return {
        status: 'fail',
        message: 'address-malformed',
        data: { address, port },
        evidence: [...seen('KubernetesApiAddr', address), ...seen('KubernetesApiPort', port)],
      }
    const inside = want.apiClusterIp.state === 'known' && want.apiClusterIp.value === address
    if (isInternal(address) || inside)
      return {
        status: 'fail',
        message: 'internal-address',
        data: { address },
        evidence: seen('KubernetesApiAddr', address),
      }
    if (want.mayMakeTokens.state === 'known' && !want.mayMakeTokens.value && want.kubelet.state === 'known') {
      const { namespace, serviceAccount } = want.kubelet.value
      return {
        status: 'fail',
        message: 'may-not-create-tokens',
        data: { serviceAccount: `${namespace}/${serviceAccount}` },
        evidence: [{ question: want.mayMakeTokens.from, path: 'items', observed: 'no rule that grants it' }, ...heard],
      }
    }
    if (config?.exportsPodData === false)
      return {
        status: 'fail',
        message: 'pod-data-not-exported',
        data: { value: 'false' },
        evidence: seen('ExportPodData', false),
      }
    const missing = told(/CFGMaps\/Secrets not found|unable to retrieve ConfigMaps or Secrets after 5m/)
    if (missing !== undefined) {
      const pod = /\bpod[\s:="]{1,3}([a-z0-9][a-z0-9./-]{0,120})/i.exec(missing)?.[1] ?? 'a remote pod'
      return {
        status: 'fail',
        message: 'pod-data-missing',
        data: { pod, version: version ?? 'on the compute site', reason: wordsOf(missing) },
        evidence: heard,
      }
    }
    if (config?.ofKubelet === false) return { status: 'pass', evidence: seen('ExportPodData', true) }
    if (neither)
      return own?.complete === true && !used
        ? { status: 'not-applicable', reason: 'nothing that mounts a token is aimed at the node' }
        : {
            status: 'undecided',
            lacks: 'whether anything that mounts a token is aimed at the node was not seen',
            lift: 'kubectl get pods,jobs -A -o yaml > pods.yaml',
            evidence: heard,
          }
    if (config === undefined || said.length > 0)
      return {
        status: 'undecided',
        lacks: 'what was said does not tell why',
        lift: 'kubectl get configmaps -A -o yaml > configmaps.yaml',
        evidence: heard,
      }
    return { status: 'pass', evidence: [...seen('KubernetesApiAddr', address), ...seen('KubernetesApiPort', port)] }
  },
})

/** Whether a version is before another, number by number. */
function isBefore(version: string, other: readonly number[]): boolean {
  const own = version.split('.').map(Number)
  for (const [index, number] of other.entries()) {
    const here = own[index] ?? 0
    if (here !== number) return here < number
  }
  return false
}

/** A name or an IPv4 address has no colon, an IPv6 address at least two. */
const isPlace = (address: string, port: string): boolean =>
  (/^[\w.-]+$/.test(address) || (address.split(':').length > 2 && /^[[\]0-9A-Fa-f:.]+$/.test(address))) &&
  /^\d{1,5}$/.test(port) &&
  Number(port) > 0 &&
  Number(port) < 65_536
