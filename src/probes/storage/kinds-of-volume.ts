/** Which kind of volume is judged: of Mountpoint for S3, of Azure Blob, of Azure at all; absent where it is another one. */
import type { CheckId } from '../../core/check.ts'
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { blobDriver, filesDriver, s3Driver, type Volume } from '../../domain/storage-volumes.ts'
import { volumeErrors } from './object-errors.ts'
import { volumes } from './volumes.ts'
import { saidFor } from './words.ts'

/** The volumes of these drivers; none where only a text speaks of one. */
const ofDrivers = (id: string, about: string, drivers: readonly string[], checks: readonly CheckId[]) =>
  defineProbe({
    id,
    about,
    scope: 'object',
    needs: {},
    wants: { volumes, volumeErrors },
    ask: (_have, { volumes, volumeErrors }, { subject }): Fact<readonly Volume[]> => {
      const own =
        volumes.state === 'known'
          ? volumes.value.filter(({ driver }) => driver !== undefined && drivers.includes(driver))
          : []
      if (own.length > 0) return known(own, volumes.from)
      // An object of another driver is not what the text is about, nor a pod that has no such volume in itself.
      const said =
        subject.kind !== 'Pod' &&
        volumeErrors.state === 'known' &&
        volumes.state !== 'known' &&
        checks.some((check) => saidFor(volumeErrors.value, check).length > 0)
      return said ? known([], volumeErrors.from) : absent(volumes.from)
    },
  })

export const s3Volume = ofDrivers(
  'storage/s3-volume',
  'the volume of Mountpoint for S3',
  [s3Driver],
  ['storage/mountpoint-s3-volume-is-consistent'],
)
export const blobVolume = ofDrivers(
  'storage/blob-volume',
  'the volume of Azure Blob',
  [blobDriver],
  ['storage/blob-volume-uses-workload-identity'],
)
export const azureVolume = ofDrivers(
  'storage/azure-volume',
  'the volume of Azure',
  [blobDriver, filesDriver],
  ['storage/blob-volume-needs-no-account-key'],
)
