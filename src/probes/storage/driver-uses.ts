/** The CSI drivers that mount for the pod under its own identity, with the versions that their DaemonSets run; absent where none does. */
import { absent, defineProbe, type Fact, type Inquiry, known, type Question } from '../../core/fact.ts'
import { type Json, listAt, textAt } from '../../core/json.ts'
import type { Subject } from '../../core/subject.ts'
import type { Option, Tool } from '../../domain/mounters.ts'
import { kubernetes } from '../../domain/questions.ts'
import {
  attribute,
  blobDriver,
  filesDriver,
  gcsDriver,
  readPersistentVolume,
  readStorageClass,
  s3Driver,
  type Volume,
} from '../../domain/storage-volumes.ts'
import { tagOf } from '../../domain/versions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { type Scene, scene } from './scene.ts'

export type DriverUse = {
  readonly tool: Tool
  /** `pod` mounts with the pod's identity; `driver` is a pod of the driver itself. */
  readonly level: 'pod' | 'driver'
  /** The mechanism that the volume itself asks for, whatever the pod shows. */
  readonly mode?: string
  readonly version?: string
  readonly options: readonly Option[]
  readonly from: Question
  readonly path: string
}
export type DriverUses = { readonly uses: readonly DriverUse[]; readonly tools: readonly Tool[] }

/** The image that is the driver itself. */
const images: { readonly [driver: string]: RegExp } = {
  [s3Driver]: /aws-s3-csi-driver|mountpoint-s3-csi-driver/,
  [blobDriver]: /blob-csi(?:-driver)?$|blob-csi:/,
  [filesDriver]: /azurefile-csi/,
  [gcsDriver]: /gcs-fuse-csi-driver(?!-)/,
  'ru.yandex.s3.csi': /csi-s3-driver/,
  'ebs.csi.aws.com': /aws-ebs-csi-driver|ebs-csi-driver/,
  'efs.csi.aws.com': /aws-efs-csi-driver|efs-csi-driver/,
}

/** The version of a driver by the image of its DaemonSet. */
export function versionIn(
  daemonSets: readonly Json[],
  driver: string,
): { readonly version: string; readonly image: string } | undefined {
  const pattern = images[driver]
  for (const one of daemonSets)
    for (const container of listAt(one, 'spec', 'template', 'spec', 'containers')) {
      const image = textAt(container, 'image') ?? ''
      const version = pattern?.test(image) === true ? tagOf(image) : undefined
      if (version !== undefined) return { version, image }
    }
  return undefined
}

export const driverUses = defineProbe({
  id: 'storage/driver-uses',
  about: 'the CSI drivers that mount for the pod, and their versions',
  scope: 'pod',
  needs: {},
  wants: { scene },
  ask: async (_have, { scene }, { subject, ask }): Promise<Fact<DriverUses>> => {
    const { mounters: tools } = await import('../../knowledge/mounters.ts')
    const question = kubernetes.list('daemonsets', 'kube-system')
    const own = scene.state === 'known' ? ownUses(scene.value.pod, tools, scene.from) : []
    const volumes: readonly Volume[] =
      scene.state === 'known' ? [...scene.value.volumes, ...(await unnamed(scene.value, subject, ask))] : []
    const ofPod = volumes.flatMap((volume) => {
      const tool = tools.find(({ recognise }) => recognise.drivers?.includes(volume.driver ?? '') === true)
      const way =
        tool === undefined ? undefined : wayOf(volume, tool, scene.state === 'known' ? scene.value.pod : undefined)
      return tool === undefined || way === undefined ? [] : [{ volume, tool, way }]
    })
    if (ofPod.length === 0) return scene.state === 'known' ? known({ uses: own, tools }, scene.from) : absent(question)
    const answer = await ask(question)
    const sets = answer.state === 'known' ? listAt(answer.value, 'items') : []
    const uses = ofPod.map(({ volume, tool, way }): DriverUse => {
      const seen = versionIn(sets, volume.driver ?? '')
      const options = Object.entries(volume.attributes).map(([name, value]) => ({ name, value, where: volume.id }))
      return {
        tool,
        ...way,
        options,
        from: answer.from,
        path: seen?.image ?? volume.id,
        ...(seen === undefined ? {} : { version: seen.version }),
      }
    })
    return known({ uses: [...own, ...uses], tools }, answer.state === 'known' ? answer.from : question)
  },
})

const externalAnnotation = 'gke-gcsfuse/workload-identity-credential-configmap'

type Way = Pick<DriverUse, 'level' | 'mode'>

/** With whose credentials the driver mounts this volume; undefined where with its own, or where nothing tells. */
function wayOf(volume: Volume, tool: Tool, pod: Pod | undefined): Way | undefined {
  const { driver = '' } = volume
  const isAzure = driver === blobDriver || driver === filesDriver
  // A Secret that stands beside clientID is another check's to say.
  if (isAzure && attribute(volume, 'clientID') !== undefined) return { level: 'pod', mode: 'azure-workload-identity' }
  if (volume.secret !== undefined || attribute(volume, 'secretName') !== undefined)
    return { level: 'pod', mode: 'static-keys' }
  if (driver === blobDriver && attribute(volume, 'AzureStorageAuthType')?.toLowerCase() === 'msi')
    return { level: 'driver', mode: 'azure-managed-identity' }
  if (driver === s3Driver) return attribute(volume, 'authenticationSource') === 'pod' ? { level: 'pod' } : undefined
  if (driver === gcsDriver)
    return {
      level: 'pod',
      mode: pod?.annotations[externalAnnotation] === undefined ? 'gke-metadata' : 'gcp-external-account',
    }
  const isOfPod = Object.values(tool.modes).some((rows) => rows?.some(({ level }) => level === 'pod') === true)
  return isOfPod && !isAzure ? { level: 'pod' } : undefined
}

/** A pod of a driver itself, which acts with the identity of its own ServiceAccount. */
function ownUses(pod: Pod | undefined, tools: readonly Tool[], from: Question): readonly DriverUse[] {
  return (pod?.storage?.containers ?? []).flatMap(({ name, image }) => {
    const driver = Object.keys(images).find(
      (name) => images[name]?.test(image.split('@')[0]?.replace(/:[^:/]*$/, '') ?? '') === true,
    )
    const tool = tools.find(({ recognise }) => driver !== undefined && recognise.drivers?.includes(driver) === true)
    const version = tagOf(image)
    return tool === undefined
      ? []
      : [
          {
            tool,
            level: 'driver' as const,
            options: variablesOf(pod, name),
            from,
            path: image,
            ...(version === undefined ? {} : { version }),
          },
        ]
  })
}

const variablesOf = (pod: Pod | undefined, container: string): readonly Option[] =>
  Object.keys(pod?.containers.find(({ name }) => name === container)?.env ?? {}).map((name) => ({
    name,
    value: null,
    where: `variable ${name}`,
  }))

/** Where only a text speaks of a mount, the volumes of the cluster that may be meant. */
async function unnamed({ errors }: Scene, { kind }: Subject, ask: Inquiry['ask']): Promise<readonly Volume[]> {
  if (kind !== 'Cluster' || !errors.some(({ text }) => text.includes('could not get secret('))) return []
  const found: Volume[] = []
  for (const [resource, read] of [
    ['persistentvolumes', readPersistentVolume],
    ['storageclasses', readStorageClass],
  ] as const) {
    const answer = await ask(kubernetes.list(resource))
    if (answer.state === 'known') found.push(...listAt(answer.value, 'items').flatMap((one) => read(one) ?? []))
  }
  return found
}
