/** Whether the application can read the token file where it looks for it. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, patchSpec, placeOf } from '../../domain/advice.ts'
import { fileVariable, hasFile, isAzureAudience, ownContainers, tokenFiles } from '../../domain/azure-pods.ts'
import { sh } from '../../domain/shell-words.ts'
import { accessOf } from '../../domain/token-file-faults.ts'
import { fileOf } from '../../domain/token-files.ts'
import type { Container, Pod } from '../../domain/workloads.ts'
import { errorsIn, held, ofError, quote } from '../../probes/azure/evidence.ts'
import { podView } from '../../probes/azure/pods.ts'
import { saying } from '../../probes/azure/said.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'

type Data = Place & {
  readonly container: string
  readonly pod: string
  readonly observed: string
  readonly path: string
}

const missing =
  /(?:ENOENT: no such file or directory, open '|open )?(\/var\/run\/secrets\/azure\/[\w./-]{1,120})'?(?:: [Nn]o such file or directory)?/
const unnamed = 'not collected'
/** https://learn.microsoft.com/azure/aks/virtual-nodes: their names begin so. */
const virtual = /^virtual-(?:node|kubelet)\b/

const readable = (data: Data): string =>
  advice(
    `Give the pod securityContext.fsGroup (65534, say) in ${editTemplate(data).where}, so that the kubelet lets its processes read the token; this makes new pods.`,
    ...patchSpec(data, { securityContext: { fsGroup: 65_534 } }),
  )

export const check = defineCheck({
  meta: {
    id: 'azure/token-file-readable',
    title: 'The application can read the token file where it looks for it',
    severity: 'error',
    scope: 'pod',
    cloud: 'azure',
    section: 'Workload',
    why: 'Newer webhooks mount the token elsewhere than older ones; whoever wrote the path down, or may not read the file, has no token to exchange.',
    fix: {
      safety: 'review',
      does: 'Set securityContext.fsGroup in the pod template where the mode excludes the process; else have the application read $AZURE_FEDERATED_TOKEN_FILE, or place the pod on an ordinary node.',
    },
    links: [
      'https://github.com/Azure/AKS/issues/5541',
      'https://azure.github.io/azure-workload-identity/docs/known-issues.html',
      'https://learn.microsoft.com/azure/aks/workload-identity-overview',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { podView, errorsOfPod },
  after: ['azure/pod-injected'],
  covers: ['workload/token-file-is-readable'],
  messages: {
    'path-literal': ({ container, pod, observed, path }: Data) =>
      `container ${container} of ${pod} uses the literal path ${observed}, the token is at ${path}; use $AZURE_FEDERATED_TOKEN_FILE`,
    'not-mounted': ({ container, observed }: Data) =>
      `AZURE_FEDERATED_TOKEN_FILE of container ${container} is ${observed}, no volumeMount of it covers that path`,
    'permission-denied': ({ path, observed, container, uid }: Data & { uid: string }) =>
      `token file ${path} has mode ${observed}, container ${container} runs as uid ${uid} without fsGroup`,
    empty: ({ path, observed }: Data) => `token file ${path} is empty: ${observed}`,
    'on-virtual-node': ({ pod, node }: Data & { node: string }) =>
      `pod ${pod} runs on virtual node ${node}; workload identity is not supported there`,
  },
  remedies: {
    'path-literal': (data) =>
      advice(
        `Have container ${data.container} read the path from $AZURE_FEDERATED_TOKEN_FILE instead of ${data.observed}, in ${editTemplate(data).where}.`,
        ...editTemplate(data).commands,
      ),
    'not-mounted': (data) =>
      advice(
        `Mount a projected serviceAccountToken volume where ${fileVariable}${data.container === unnamed ? '' : ` of container ${data.container}`} points, or take that variable out of ${editTemplate(data).where} so that the webhook sets both.`,
        ...editTemplate(data).commands,
      ),
    'permission-denied': readable,
    empty: (data) =>
      advice(
        'See in the events of the pod why the kubelet writes no token into the volume.',
        sh`kubectl get events -n ${data.namespace} --field-selector involvedObject.kind=Pod`,
      ),
    'on-virtual-node': (data) =>
      advice(
        `Place the workload on an ordinary node: take the toleration and the node selector of the virtual node out of ${editTemplate(data).where}.`,
        ...editTemplate(data).commands,
      ),
  },
  judge: ({ want: { podView, errorsOfPod }, subject }) => {
    if (podView.state === 'absent') return { status: 'not-applicable', reason: 'the pod is gone or has ended' }
    const view = held(podView)
    const errors = errorsIn(errorsOfPod)
    const denied = saying(errors, 'azure/token-file-readable', 'permission-denied')
    const lost = saying(errors, 'azure/token-file-readable', 'not-mounted')
    const bare = saying(errors, 'azure/token-file-readable', 'empty')
    const told: readonly Evidence[] = [denied, lost, bare].flatMap((one) => (one === undefined ? [] : [ofError(one)]))
    const pods = view === undefined ? [] : view.born === undefined ? view.templates : [view.born]
    const [first] = pods
    const base: Data = {
      ...(first === undefined ? placeOf(subject) : { workload: workloadOf(first), namespace: first.namespace }),
      container: unnamed,
      pod: first?.name ?? 'not collected',
      observed: 'not collected',
      path: missing.exec(lost?.text ?? bare?.text ?? '')?.[1] ?? `$${fileVariable}`,
    }
    const see = (pod: Pod, container: Container, path: string, observed: string, expected?: string): Evidence => ({
      question: podView.from,
      path: `${pod.kind}/${pod.name} spec.containers["${container.name}"]${path}`,
      observed,
      ...(expected === undefined ? {} : { expected }),
    })
    const evidence: Evidence[] = []
    let open: string | undefined
    for (const pod of pods) {
      if (pod.node !== undefined && virtual.test(pod.node) && ownContainers(pod).some(hasFile))
        return {
          status: 'fail',
          message: 'on-virtual-node',
          data: { ...base, pod: pod.name, node: pod.node },
          evidence: [{ question: podView.from, path: 'spec.nodeName', observed: pod.node }],
        }
      for (const container of ownContainers(pod)) {
        const path = container.env[fileVariable]
        const data = { ...base, container: container.name, pod: pod.name }
        const real = typeof path === 'string' ? path : tokenAt(pod, container)
        const literal = container.tokenPaths?.find(
          (one) => real !== undefined && one !== real && tokenFiles.some((known) => known === one),
        )
        if (literal !== undefined && real !== undefined)
          return {
            status: 'fail',
            message: 'path-literal',
            data: { ...data, observed: literal, path: real },
            evidence: [see(pod, container, '', literal, real), ...told],
          }
        if (typeof path !== 'string' || path === '') continue
        const { volume, mount } = fileOf(pod, container, 'azure', path)
        const asked = missing.exec(lost?.text ?? '')?.[1]
        if (lost !== undefined && asked !== undefined && asked !== path && volume !== undefined)
          return {
            status: 'fail',
            message: 'path-literal',
            data: { ...data, observed: asked, path },
            evidence: [see(pod, container, `.env["${fileVariable}"]`, path), ofError(lost)],
          }
        if (mount === undefined && pod.uid !== undefined)
          return {
            status: 'fail',
            message: 'not-mounted',
            data: { ...data, observed: path, path },
            evidence: [see(pod, container, '.volumeMounts', 'none that covers it', path), ...told],
          }
        const access = accessOf(pod, { container, mechanism: 'azure', variable: fileVariable, path })
        const uid = container.runsAs?.user ?? pod.runsAs?.user
        const excluded = access?.state === 'excluded'
        if (excluded || (denied !== undefined && volume !== undefined))
          return {
            status: 'fail',
            message: 'permission-denied',
            data: {
              ...data,
              path,
              observed: modeOf(volume?.defaultMode),
              uid: uid === undefined ? 'of its image' : String(uid),
            },
            evidence: [see(pod, container, ' spec.securityContext', modeOf(volume?.defaultMode)), ...told],
          }
        if (access?.state === 'open') open ??= access.lacks
        evidence.push(see(pod, container, `.env["${fileVariable}"]`, path))
      }
    }
    if (bare !== undefined)
      return {
        status: 'fail',
        message: 'empty',
        data: { ...base, observed: quote(bare.text) },
        evidence: [ofError(bare)],
      }
    if (denied !== undefined)
      return {
        status: 'fail',
        message: 'permission-denied',
        data: { ...base, observed: 'that excludes it', uid: 'not collected' },
        evidence: [ofError(denied)],
      }
    if (lost !== undefined)
      return {
        status: 'fail',
        message: 'not-mounted',
        data: { ...base, observed: base.path },
        evidence: [ofError(lost)],
      }
    if (evidence.length === 0)
      return pods.length === 0 && view?.noPods !== true
        ? { status: 'undecided', lacks: 'no pod was seen' }
        : { status: 'not-applicable', reason: 'no container is told of a token file' }
    if (open !== undefined) return { status: 'undecided', lacks: open, evidence }
    return first?.uid === undefined
      ? { status: 'undecided', lacks: 'the running pod was not seen', evidence, lift: 'kubectl get pods -A -o yaml' }
      : { status: 'pass', evidence }
  },
})

const modeOf = (mode: number | undefined): string => `0${(mode ?? 0o644).toString(8)}`

function tokenAt(pod: Pod, { mounts }: Container): string | undefined {
  for (const { name, mountPath } of mounts) {
    const token = pod.volumes
      .find((volume) => volume.name === name)
      ?.tokens.find(({ audience }) => isAzureAudience(audience))
    if (token !== undefined) return `${mountPath.replace(/\/+$/, '')}/${token.path}`
  }
  return undefined
}
