/** Whether what is mounted is alive, and visible and readable where the application looks. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf, restart } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { s3Driver } from '../../domain/storage-volumes.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { scene } from '../../probes/storage/scene.ts'
import { mounts } from '../../probes/storage/storage-pod.ts'
import { containersOf, partOf, provedBy, saidFor } from '../../probes/storage/words.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const id = 'storage/mount-is-alive'

type Data = Place & {
  readonly mounter: string
  readonly limit: string
  readonly option: string
  readonly volume: string
  readonly container: string
  readonly path: string
  readonly seconds: string
  readonly waiting: string
  readonly mode: string
  readonly owner: string
  readonly uid: string
}

const messages = {
  'out-of-memory': ({ mounter, limit }: Data) => `${mounter} was killed for memory (limit ${limit})`,
  'option-refused': ({ mounter, option }: Data) => `${mounter} refuses mount option ${option}`,
  'cache-not-writable': ({ volume }: Data) => `cache volume ${volume} is not writable for the sidecar; set fsGroup`,
  'not-propagated': ({ container, volume }: Data) =>
    `container ${container} mounts ${volume} without HostToContainer, so it sees the directory beneath the mount`,
  hung: ({ path, seconds, waiting }: Data) =>
    `${path} does not answer within ${seconds} s (${waiting} requests waiting)`,
  disconnected: ({ path, mounter }: Data) =>
    `${path} answers "Transport endpoint is not connected": ${mounter} has ended`,
  'not-readable-by-user': ({ path, mode, owner, container, uid }: Data) =>
    `files at ${path} are ${mode} of ${owner}; container ${container} runs as uid ${uid}; set uid, gid or file modes in the mount options, or fsGroup`,
}

const inTemplate = (data: Data, sentence: string): string => {
  const { where, commands } = editTemplate(data)
  return advice(`${sentence} in ${where}.`, ...commands)
}
const anew = (data: Data, before: string): string => {
  const { words, commands } = restart(data)
  return advice(
    `${before}, then ${words}: a dead mount comes back only with a new pod.`,
    ...commands,
    sh`kubectl get events -n ${data.namespace}`,
  )
}

export const check = defineCheck({
  meta: {
    id,
    title: 'The mount is alive, visible and readable where the application looks',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Storage',
    why: 'A mounter that ends leaves a directory that answers nothing, and a mount in one container is not seen in another by itself.',
    fix: {
      safety: 'review',
      does: 'Raise the memory of the mounter, or set propagation, the options for uid and gid, or fsGroup in the pod template; a dead mount comes back only with a new pod.',
    },
    links: [
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/troubleshooting.md',
      'https://github.com/awslabs/mountpoint-s3-csi-driver',
    ],
  },
  only: { probe: mounts, otherwise: 'the pod mounts no store' },
  needs: { scene },
  wants: {},
  after: ['storage/fuse-mount-is-permitted'],
  messages,
  remedies: {
    'out-of-memory': (data) =>
      inTemplate(
        data,
        `Raise the memory of ${data.mounter} (of the gcsfuse sidecar by annotation gke-gcsfuse/memory-limit), or give its cache a volume on disk,`,
      ),
    'option-refused': (data) =>
      inTemplate(
        data,
        `Take ${data.option} out of the mount options, or use a version of ${data.mounter} that has it,`,
      ),
    'cache-not-writable': (data) => inTemplate(data, 'Set securityContext.fsGroup of the pod'),
    'not-propagated': (data) =>
      inTemplate(data, `Set mountPropagation: HostToContainer on ${data.volume} of container ${data.container}`),
    hung: (data) =>
      anew(data, 'See in the log of the mounter what it waits for: the store, its credentials, or the network'),
    disconnected: (data) => anew(data, `See in the log and the state of ${data.mounter} why it ended`),
    'not-readable-by-user': (data) =>
      inTemplate(
        data,
        `Set the mount options allow-other, uid=${data.uid} and gid on the volume, or securityContext.fsGroup`,
      ),
  },
  judge: ({ have: { scene }, subject }) => {
    if (scene.state === 'absent') return { status: 'not-applicable', reason: 'the pod mounts no store' }
    const { pod, volumes, errors } = scene.value
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const said = saidFor(errors, id)
    const containers = containersOf(scene.value)
    const mounters = containers.filter(({ calls, name }) => calls.length > 0 || name === 'gke-gcsfuse-sidecar')
    const [mounter] = mounters
    const evidence: Evidence[] = said.map(({ error }) => ofError(error))
    const failing = (message: keyof typeof messages, more: Partial<Data> = {}, seen: readonly Evidence[] = []) => {
      const data: Data = {
        ...{
          ...place,
          mounter: mounter === undefined ? 'the mounter' : `container ${mounter.name}`,
          limit: 'not seen',
        },
        ...{ option: '', volume: '', container: 'of the pod', path: 'the mount', seconds: 'a while', waiting: 'some' },
        ...{ mode: '', owner: 'root', uid: '', ...more },
      }
      return { status: 'fail', message, data, evidence: [...seen, ...evidence] } as const
    }
    const ofContainer = (name: string, observed: string): Evidence => ({
      question: scene.from,
      path: `container ${name}`,
      observed,
    })
    const killed = mounters.find(({ killedForMemory }) => killedForMemory)
    if (killed !== undefined)
      return failing('out-of-memory', { mounter: `container ${killed.name}`, limit: killed.memory ?? 'of its node' }, [
        ofContainer(killed.name, 'OOMKilled'),
      ])
    if (provedBy(said, 'out-of-memory') !== undefined)
      return failing('out-of-memory', { limit: mounter?.memory ?? 'not seen' })
    const refused = provedBy(said, 'option-refused')
    if (refused !== undefined)
      return failing('option-refused', {
        option: partOf(
          refused.text,
          /(?:provided but not defined:|unknown flag:|unexpected argument '|unknown option\(s\): `)\s*(-{1,2}\s?[\w-]{1,60})/,
          'that the text names',
        ),
      })
    if (provedBy(said, 'cache-not-writable') !== undefined)
      return failing('cache-not-writable', { volume: 'gke-gcsfuse-cache' })
    for (const from of mounters)
      for (const { volume, propagation, path } of from.mounts) {
        if (propagation !== 'Bidirectional') continue
        const deaf = containers.find(
          (one) => one !== from && one.mounts.some((mount) => mount.volume === volume && mount.propagation === 'None'),
        )
        if (deaf !== undefined)
          return failing('not-propagated', { container: deaf.name, volume: `volume ${volume}` }, [
            ofContainer(from.name, `${path}: Bidirectional`),
            ofContainer(deaf.name, 'mountPropagation not set'),
          ])
      }
    const hung = provedBy(said, 'hung')
    if (hung !== undefined) return failing('hung', { seconds: partOf(hung.text, /more than (\d{1,6}) seconds/, '120') })
    const dead = provedBy(said, 'disconnected')
    if (dead !== undefined)
      return failing('disconnected', {
        path: partOf(dead.text, /['"]?(\/[\w./@-]{1,200})['"]?: Transport endpoint/, 'the mount'),
      })
    const bucket = volumes.find(({ driver }) => driver === s3Driver)
    // By default only the user who mounted it reads it: https://github.com/awslabs/mountpoint-s3-csi-driver/blob/main/examples/kubernetes/static_provisioning/non_root.yaml
    const reader = containers.find(
      ({ user, mounts }) =>
        user !== undefined && user !== 0 && mounts.some((mount) => mount.volume === bucket?.podVolume),
    )
    if (
      bucket !== undefined &&
      reader !== undefined &&
      pod?.storage?.fsGroup === undefined &&
      !bucket.mountOptions.some((one) => /allow-other/.test(one))
    )
      return failing(
        'not-readable-by-user',
        {
          ...{ container: reader.name, uid: String(reader.user), mode: 'for root only, and' },
          path: reader.mounts.find((mount) => mount.volume === bucket.podVolume)?.path ?? 'the mount',
        },
        [{ question: scene.from, path: bucket.id, observed: bucket.mountOptions.join(', ') || 'no mount options' }],
      )
    if (said.length > 0) return { status: 'undecided', lacks: 'what has become of the mount', evidence }
    if (mounters.length === 0 && bucket === undefined)
      return { status: 'not-applicable', reason: 'the pod mounts no store' }
    // A manifest mounts nothing yet.
    if (pod?.uid === undefined) return { status: 'not-applicable', reason: 'the pod is not running' }
    // What a CSI driver mounts lives in a process of its own, of which the pod shows nothing.
    const unseen = mounters.length === 0 ? undefined : mounters.find(({ ready }) => ready !== true)
    if (mounters.length === 0 || unseen !== undefined)
      return {
        status: 'undecided',
        lacks:
          unseen === undefined
            ? 'nobody has looked at the mount'
            : `container ${unseen.name} ${unseen.ready === false ? 'is not ready' : 'was not seen to be ready'}`,
        lift: sh`kubectl wi exchange-test --pod ${pod.name} -n ${pod.namespace}`,
      }
    return { status: 'pass', evidence: mounters.map(({ name }) => ofContainer(name, 'ready, not killed for memory')) }
  },
})
