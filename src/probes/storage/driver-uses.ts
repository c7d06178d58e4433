/** The CSI drivers that mount for the pod under its own identity, with the versions that their DaemonSets run; absent where none does. */
import { absent, defineProbe, type Fact, known, type Question } from '../../core/fact.ts'
import { type Json, listAt, textAt } from '../../core/json.ts'
import type { Option, Tool } from '../../domain/mounters.ts'
import { kubernetes } from '../../domain/questions.ts'
import { attribute, blobDriver, filesDriver, gcsDriver, s3Driver } from '../../domain/storage-volumes.ts'
import { tagOf } from '../../domain/versions.ts'
import { scene } from './scene.ts'

export type DriverUse = {
  readonly tool: Tool
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
  ask: async (_have, { scene }, { ask }): Promise<Fact<DriverUses>> => {
    const { mounters: tools } = await import('../../knowledge/mounters.ts')
    const question = kubernetes.list('daemonsets', 'kube-system')
    const volumes = scene.state === 'known' ? scene.value.volumes : []
    const ofPod = volumes.filter((one) => {
      if (one.driver === s3Driver) return attribute(one, 'authenticationSource') === 'pod'
      if (one.driver === blobDriver || one.driver === filesDriver) return attribute(one, 'clientID') !== undefined
      return one.driver === gcsDriver
    })
    if (ofPod.length === 0) return scene.state === 'known' ? known({ uses: [], tools }, scene.from) : absent(question)
    const answer = await ask(question)
    const sets = answer.state === 'known' ? listAt(answer.value, 'items') : []
    const uses = ofPod.flatMap((volume): readonly DriverUse[] => {
      const tool = tools.find(({ recognise }) => recognise.drivers?.includes(volume.driver ?? '') === true)
      if (tool === undefined) return []
      const seen = versionIn(sets, volume.driver ?? '')
      const options = Object.entries(volume.attributes).map(([name, value]) => ({ name, value, where: volume.id }))
      return [
        {
          tool,
          options,
          from: answer.from,
          path: seen?.image ?? volume.id,
          ...(seen === undefined ? {} : { version: seen.version }),
        },
      ]
    })
    return known({ uses, tools }, answer.state === 'known' ? answer.from : question)
  },
})
