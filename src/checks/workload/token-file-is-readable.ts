/** Every container can read the token file where its SDK looks for it. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, patchSpec, placeOf, restart, unsetVariables } from '../../domain/advice.ts'
import { podIdentityAudience } from '../../domain/audiences.ts'
import { fileTroubleIn } from '../../domain/token-file-errors.ts'
import { accessOf, fileFaults, hiddenRead, type TokenRead, tokenReadsOf } from '../../domain/token-file-faults.ts'
import { apiTokenFolder, fileOf, type Mechanism, mechanisms } from '../../domain/token-files.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import type { ObservedError } from '../../probes/cluster/observed-errors.ts'
import { acceptedAudiences } from '../../probes/workload/accepted-audiences.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'
import { pod } from '../../probes/workload/pod.ts'

const id = 'workload/token-file-is-readable'

type Read = Place & { readonly container: string; readonly path: string; readonly variable: string }

/** `container cart`; where only an error text was seen nobody is named. */
const unnamedContainer = 'CONTAINER'
const speakOf = (container: string): string =>
  container === unnamedContainer ? 'the container' : `container ${container}`
const only = (container: string): string | undefined => (container === unnamedContainer ? undefined : container)
const paired: { readonly [M in Mechanism]: readonly string[] } = {
  'web-identity': ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
  'pod-identity': ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'],
  azure: ['AZURE_FEDERATED_TOKEN_FILE'],
}
const variableOf = (path: string): string =>
  path.includes('pods.eks')
    ? mechanisms['pod-identity'].variable
    : mechanisms[path.includes('azure') ? 'azure' : 'web-identity'].variable
const pairOf = (variable: string): readonly string[] =>
  Object.values(paired).find((names) => names.includes(variable)) ?? [variable]
const letWebhook = (data: Read): string => {
  const names = pairOf(data.variable)
  return advice(
    `Take ${names.join(' and ')} of ${speakOf(data.container)} out of ${editTemplate(data).where}, so that the webhook sets the variables and the mount together.`,
    ...unsetVariables(data, names, only(data.container)),
  )
}

const ofThisCheck = fragmentsOf(id)

/** What the text of an error tells where the pod was not seen: that a file is not there, or may not be read. */
function byText(errors: readonly ObservedError[], place: Place) {
  for (const error of errors) {
    const { path, what } = fileTroubleIn(error.text)
    if (path === undefined || what === 'unreadable') continue
    const data = { ...place, container: unnamedContainer, path, variable: variableOf(path) }
    const evidence = [ofError(error)]
    return what === 'missing'
      ? ({ status: 'fail', message: 'not-mounted', data, evidence } as const)
      : ({
          status: 'fail',
          message: 'mode-excludes-user',
          data: { ...data, uid: 'another user than its owner', mode: 'its owner' },
          evidence,
        } as const)
  }
  return undefined
}

export const check = defineCheck({
  meta: {
    id,
    title: 'Every container can read the token file where its SDK looks for it',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Workload',
    why: 'An SDK finds its token by the path in a variable; a path where nothing is mounted, or a file that its user may not read, leaves it without an identity.',
    fix: {
      safety: 'review',
      does: 'Remove hand-written token variables from the template so that the webhook sets both sides, or correct the path, or set fsGroup for the unreadable file; never make the token world-readable, never copy it.',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/82',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/8',
      'https://github.com/external-secrets/kubernetes-external-secrets/issues/452',
      'https://github.com/Azure/AKS/issues/5541',
      'https://github.com/kubernetes/kubernetes/blob/v1.36.2/pkg/volume/projected/projected.go',
    ],
  },
  needs: {},
  wants: { pod, acceptedAudiences, errorsOfPod },
  after: ['workload/token-volume-asks-for-the-audience'],
  messages: {
    'is-the-api-token': ({ container, path, expected }: Read & { expected: string }) =>
      `${speakOf(container)} reads ${path}, the API server's own token, whose audience is not ${expected}`,
    'not-mounted': ({ container, path }: Read) =>
      `${speakOf(container)} is told to read ${path}, and no volume is mounted there`,
    'path-differs': ({ container, path, actual }: Read & { actual: string }) =>
      `${speakOf(container)} reads ${path}; the token lies at ${actual}`,
    'mode-excludes-user': ({ container, path, uid, mode }: Read & { uid: string; mode: string }) =>
      `${speakOf(container)} runs as ${uid}; ${path} is readable by ${mode} only`,
    'mounted-by-sub-path': ({ container, volume, path }: Read & { volume: string }) =>
      `${speakOf(container)} mounts the token by subPath (volume ${volume}, ${path}), so it never sees a rotated one`,
  },
  remedies: {
    'is-the-api-token': letWebhook,
    'not-mounted': letWebhook,
    'path-differs': (data) =>
      advice(
        `Set ${data.variable} of ${speakOf(data.container)} to ${data.actual} in ${editTemplate(data).where}.`,
        ...editTemplate(data).commands,
      ),
    'mode-excludes-user': (data) =>
      advice(
        `Set securityContext.fsGroup of the pod in ${editTemplate(data).where}: the kubelet then gives the token to that group, which every container is in.`,
        ...patchSpec(data, { securityContext: { fsGroup: 65_534 } }),
      ),
    'mounted-by-sub-path': (data) =>
      advice(
        `Mount the folder of the token instead of the one file: take subPath from the mount of volume ${data.volume} in ${editTemplate(data).where}, then ${restart(data).words}.`,
        ...editTemplate(data).commands,
      ),
  },
  judge: ({ want: { pod, acceptedAudiences, errorsOfPod }, subject }) => {
    if (pod.state === 'absent') return { status: 'not-applicable', reason: 'the pod does not exist' }
    const errors = (errorsOfPod.state === 'known' ? errorsOfPod.value : []).filter(({ fragment }) =>
      ofThisCheck.has(fragment),
    )
    const [first] = errors
    const unexplained =
      first === undefined
        ? undefined
        : `${first.place} says that the token file could not be read, and nothing that was seen shows why`
    if (pod.state === 'unknown') {
      // A text decides only where nobody was seen: a pod that may be there to be looked at has to be looked at.
      const word = subject.kind === 'Cluster' ? byText(errors, placeOf(subject)) : undefined
      if (word !== undefined) return word
      // Without the pod this cannot be a pass.
      return unexplained === undefined
        ? { status: 'pass', evidence: [] }
        : { status: 'undecided', lacks: unexplained, evidence: errors.map(ofError) }
    }
    const { value } = pod
    const place: Place = { workload: workloadOf(value), namespace: value.namespace }
    const accepted = acceptedAudiences.state === 'known' ? acceptedAudiences.value : undefined
    const reads = tokenReadsOf(value)
    const evidence: readonly Evidence[] = reads.map(({ container, variable, path }) => ({
      question: pod.from,
      path: `spec.containers[${container.name}].env[${variable}]`,
      observed: path,
    }))
    const dataOf = ({ container, path, variable }: TokenRead): Read => ({
      ...place,
      container: container.name,
      path,
      variable,
    })
    let open: string | undefined
    for (const read of reads) {
      const { volume, source } = fileOf(value, read.container, read.mechanism, read.path)
      if (!read.path.startsWith(`${apiTokenFolder}/`) || (volume !== undefined && source?.audience !== undefined))
        continue
      const expected = accepted?.of[read.mechanism] ?? []
      if (expected.includes(accepted?.apiServer ?? '')) continue
      // Pod Identity is of EKS alone, and no API server there takes its audience for its own.
      if (read.mechanism === 'pod-identity' || accepted?.apiServerCertain === true)
        return {
          status: 'fail',
          message: 'is-the-api-token',
          data: { ...dataOf(read), expected: expected[0] ?? podIdentityAudience },
          evidence,
        }
      open ??= `${read.path} is the API server's own token, and for which audience that is was not seen`
    }
    const found = fileFaults(value, reads, accepted?.asked)
    const fault = found.faults.find(({ message }) => message === 'not-mounted') ?? found.faults[0]
    if (fault !== undefined) {
      const data = { ...place, container: fault.container, path: fault.path, variable: fault.variable }
      const mounts = {
        question: pod.from,
        path: `spec.containers[${fault.container}].volumeMounts`,
        observed: fault.mounts,
      }
      return fault.message === 'path-differs'
        ? {
            status: 'fail',
            message: 'path-differs',
            data: { ...data, actual: fault.actual },
            evidence: [...evidence, mounts],
          }
        : { status: 'fail', message: 'not-mounted', data, evidence: [...evidence, mounts] }
    }
    open ??= found.open
    for (const read of reads) {
      const access = accessOf(value, read)
      const denied = errors.find((error) => {
        const { path, what } = fileTroubleIn(error.text)
        return what === 'denied' && path === read.path
      })
      const uid = read.container.runsAs?.user ?? value.runsAs?.user
      // Kubelets before 1.19 give the file to root alone, whatever the volume says, unless the pod has an fsGroup.
      const isRootsOwn = access?.state === 'readable' && value.fsGroup === undefined && uid !== 0
      if (access?.state === 'excluded' || ((access?.state === 'open' || isRootsOwn) && denied !== undefined))
        return {
          status: 'fail',
          message: 'mode-excludes-user',
          data: {
            ...dataOf(read),
            uid: uid === undefined ? 'the user of its image' : `uid ${uid}`,
            mode: access.state === 'readable' ? 'its owner' : `its owner and group (${access.mode})`,
          },
          evidence: [...evidence, ...(denied === undefined ? [] : [ofError(denied)])],
        }
      if (access?.state === 'open') open ??= access.lacks
    }
    for (const read of reads) {
      const { mount, volume } = fileOf(value, read.container, read.mechanism, read.path)
      if (mount?.subPath === undefined || accessOf(value, read) === undefined) continue
      return {
        status: 'fail',
        message: 'mounted-by-sub-path',
        data: { ...dataOf(read), volume: volume?.name ?? mount.name },
        evidence: [
          ...evidence,
          {
            question: pod.from,
            path: `spec.containers[${read.container.name}].volumeMounts[${mount.name}].subPath`,
            observed: mount.subPath,
          },
        ],
      }
    }
    open ??= hiddenRead(value) ?? unexplained
    if (open !== undefined) return { status: 'undecided', lacks: open, evidence: [...evidence, ...errors.map(ofError)] }
    return reads.length === 0
      ? { status: 'not-applicable', reason: 'no container names a token file' }
      : { status: 'pass', evidence }
  },
})
