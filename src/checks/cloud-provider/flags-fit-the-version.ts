/** Whether components of Kubernetes accept what they are told about a cloud provider. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { builtInsLockedOff, providerOf } from '../../knowledge/cloud-providers.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { type Component, components } from '../../probes/cloud-provider/components.ts'
import { flagsConcern } from '../../probes/cloud-provider/concerns.ts'
import { ofFlags } from '../../probes/cloud-provider/errors.ts'

type Value = { readonly component: string; readonly version: string; readonly value: string }

const order =
  'Install the cloud controller manager of the cloud first, then set --cloud-provider=external on the kubelets, one node at a time, and take the other flags out.'
const look = [
  'kubectl get pods -n kube-system -l tier=control-plane -o yaml',
  'kubectl get nodes -o custom-columns=NAME:.metadata.name,KUBELET:.status.nodeInfo.kubeletVersion',
]

export const check = defineCheck({
  meta: {
    id: 'cloud-provider/flags-fit-the-version',
    title: "Each component's cloud-provider flags are accepted by its version",
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Cloud provider',
    why: 'A component that is told to use a provider it no longer has does not start, and its node or the whole control plane is gone.',
    fix: {
      safety: 'manual',
      does: 'Set --cloud-provider=external: the cloud controller manager comes first, then the kubelets one by one; take flags out that the version no longer has.',
    },
    links: ['https://kep.k8s.io/2395', 'https://github.com/kubernetes/kubernetes/tree/v1.36.2'],
  },
  only: { probe: flagsConcern, otherwise: 'no component is told of a cloud provider' },
  needs: {},
  wants: { components, ofFlags },
  after: [],
  messages: {
    'unknown-provider': ({ component, version, value }: Value) =>
      `${component} runs with --cloud-provider=${value}, which is no provider of Kubernetes ${version}`,
    'built-in-removed': ({ component, version, value, removed }: Value & { removed: string }) =>
      `${component} ${version} runs with --cloud-provider=${value}; that built-in provider is gone since ${removed}: use external`,
    'flag-removed': ({ component, version, flag }: { component: string; version: string; flag: string }) =>
      `${component} ${version} has no flag --${flag}`,
    mixed: ({ node, kubelet, controllerManager }: { node: string; kubelet: string; controllerManager: string }) =>
      `kubelet on ${node} runs with --cloud-provider=${kubelet}, kube-controller-manager with ${controllerManager}; both must be external`,
  },
  remedies: {
    'unknown-provider': ({ component }) =>
      advice(`Take --cloud-provider out of the flags of ${component}, or set it to external. ${order}`, ...look),
    'built-in-removed': ({ component }) =>
      advice(`Set --cloud-provider=external for ${component} and drop --cloud-config. ${order}`, ...look),
    'flag-removed': ({ component, flag }) =>
      advice(`Take --${flag} out of the flags of ${component}; nothing takes its place there.`, ...look),
    mixed: () => advice(`Set --cloud-provider=external for both. ${order}`, ...look),
  },
  judge: ({ want }) => {
    const all = want.components.state === 'known' ? want.components.value.all : []
    const said = want.ofFlags.state === 'known' ? want.ofFlags.value : []
    const heard = said.map(ofError)
    const seen = (one: Component, flag: string): readonly Evidence[] => [
      { question: one.from, path: `${one.place}: ${one.component} --${flag}`, observed: one.flags[flag] ?? '' },
      ...heard,
    ]
    const valued = all.filter(({ flags }) => !['', 'external', undefined].includes(flags['cloud-provider']))
    for (const one of valued) {
      const value = one.flags['cloud-provider'] ?? ''
      if (one.minor === undefined || providerOf(value) !== undefined) continue
      const data = { component: one.component, version: `1.${one.minor}`, value }
      return { status: 'fail', message: 'unknown-provider', data, evidence: seen(one, 'cloud-provider') }
    }
    const told = said.map(({ text }) => text)
    const unknownOne = told
      .map((text) => /unknown cloud provider "([^"\s]{1,60})"/.exec(text)?.[1])
      .find((name) => name !== undefined)
    if (unknownOne !== undefined) {
      const one = valued.find(({ flags }) => flags['cloud-provider'] === unknownOne)
      const data = { component: one?.component ?? componentIn(told), version: versionOf(one), value: unknownOne }
      return { status: 'fail', message: 'unknown-provider', data, evidence: heard }
    }
    for (const one of valued) {
      const value = one.flags['cloud-provider'] ?? ''
      const gone = removedIn(value)
      if (one.minor === undefined || gone === undefined || one.minor < gone) continue
      const data = { component: one.component, version: `1.${one.minor}`, value, removed: `1.${gone}` }
      return { status: 'fail', message: 'built-in-removed', data, evidence: seen(one, 'cloud-provider') }
    }
    const removed = told
      .map((text) => /cloud provider "?([\w-]{1,60})"? was specified, but built-in/.exec(text)?.[1])
      .find((name) => name !== undefined)
    if (removed !== undefined || told.some((text) => /built-in cloud providers are disabled/.test(text))) {
      const one = valued.find(({ flags }) => flags['cloud-provider'] === removed) ?? valued[0]
      const value = removed ?? one?.flags['cloud-provider'] ?? 'a built-in provider'
      const gone = removedIn(value) ?? builtInsLockedOff
      const data = {
        component: one?.component ?? componentIn(told),
        version: versionOf(one),
        value,
        removed: `1.${gone}`,
      }
      return { status: 'fail', message: 'built-in-removed', data, evidence: heard }
    }
    for (const one of all) {
      const flag = ['cloud-provider', 'cloud-config'].find((name) => one.flags[name] !== undefined && isGone(one, name))
      if (flag === undefined) continue
      const data = { component: one.component, version: `1.${one.minor ?? ''}`, flag }
      return { status: 'fail', message: 'flag-removed', data, evidence: seen(one, flag) }
    }
    const refused = told
      .map((text) => /unknown flag: --(cloud-[a-z-]{1,40})/.exec(text)?.[1])
      .find((flag) => flag !== undefined)
    if (refused !== undefined) {
      const one = all.find(({ flags }) => flags[refused] !== undefined)
      const data = { component: one?.component ?? componentIn(told), version: versionOf(one), flag: refused }
      return { status: 'fail', message: 'flag-removed', data, evidence: heard }
    }
    const manager = all.find(
      (one) => one.component === 'kube-controller-manager' && one.flags['cloud-provider'] !== undefined,
    )
    const other = all.find(
      (one) =>
        one.component === 'kubelet' &&
        one.flags['cloud-provider'] !== undefined &&
        manager !== undefined &&
        one.flags['cloud-provider'] !== manager.flags['cloud-provider'] &&
        [one, manager].some(({ flags }) => flags['cloud-provider'] === 'external'),
    )
    if (manager !== undefined && other !== undefined) {
      const word = ({ flags }: Component): string => flags['cloud-provider'] || '""'
      const data = { node: other.node ?? 'the nodes', kubelet: word(other), controllerManager: word(manager) }
      return {
        status: 'fail',
        message: 'mixed',
        data,
        evidence: [...seen(other, 'cloud-provider'), ...seen(manager, 'cloud-provider')],
      }
    }
    if (said.length > 0)
      return {
        status: 'undecided',
        lacks: 'a cloud provider could not be started, and the flags of the components do not tell why',
        lift: 'kubectl get pods -n kube-system -o yaml > pods.yaml',
        evidence: heard,
      }
    const unsure = all.find((one) => one.minor === undefined && one.flags['cloud-provider'] !== 'external')
    if (unsure !== undefined)
      return {
        status: 'undecided',
        lacks: `the version of ${unsure.component} was not seen`,
        lift: 'kubectl version -o json > version.json, and kubectl get nodes -o yaml > nodes.yaml',
      }
    const unseen = want.components.state === 'known' ? want.components.value.unseen : undefined
    if (unseen !== undefined)
      return { status: 'undecided', lacks: unseen.detail, ...(unseen.lift === undefined ? {} : { lift: unseen.lift }) }
    return { status: 'pass', evidence: all.flatMap((one) => seen(one, Object.keys(one.flags)[0] ?? '')) }
  },
})

const versionOf = (one: Component | undefined): string =>
  one?.minor === undefined ? 'of this cluster' : `1.${one.minor}`

const componentIn = (texts: readonly string[]): string =>
  ['kubelet', 'kube-controller-manager', 'kube-apiserver'].find((name) => texts.some((text) => text.includes(name))) ??
  'a component'

const removedIn = (provider: string): number | undefined => {
  const known = providerOf(provider)
  return known === undefined ? undefined : (known.removed ?? builtInsLockedOff)
}

/** At 1.36 the kubelet has no --cloud-config and kube-apiserver has neither; when between 1.31 and there they went is not certain. */
const isGone = ({ component, minor }: Component, flag: string): boolean =>
  minor !== undefined &&
  minor >= 36 &&
  (component === 'kube-apiserver' || (component === 'kubelet' && flag === 'cloud-config'))
