/** The known error texts about storage that speak of a volume, a driver, or of one that nobody has seen. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { type Subject, subjectKey } from '../../core/subject.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { observedErrors } from '../cluster/observed-errors.ts'
import { isOfStorage, nothing } from './storage-pod.ts'

/** All that are about storage, read through once. */
export const allStorageErrors = defineProbe({
  id: 'storage/errors',
  about: 'known error texts about volumes in logs and events',
  scope: 'cluster',
  needs: {},
  wants: { observedErrors },
  ask: (_have, { observedErrors }): Fact<readonly ObservedError[]> => {
    const found = observedErrors.state === 'known' ? observedErrors.value.filter(isOfStorage) : []
    return found.length === 0 ? absent(observedErrors.from) : known(found, observedErrors.from)
  },
})

/**
 * Whose a text is: that of the object that it names; where it names none, of the only one of its kind; and of the cluster where no object is
 * judged that it could be about. `kinds`: those of the checks that ask.
 */
export const errorsAmong = (id: string, kinds: readonly string[]) =>
  defineProbe({
    id,
    about: 'known error texts about volumes in logs and events',
    scope: 'object',
    needs: { allStorageErrors },
    wants: {},
    only: 'allStorageErrors',
    ask: ({ allStorageErrors }, _want, { subject, subjects }): Fact<readonly ObservedError[]> => {
      const all = allStorageErrors.value
      const others = subjects.filter(({ kind }) => kinds.includes(kind))
      const found =
        subject.kind === 'Cluster'
          ? others.length === 0
            ? all
            : []
          : all.filter((error) => isAbout(error, subject, others))
      return found.length === 0 ? nothing : known(found, allStorageErrors.from)
    },
  })

function isAbout({ about, text }: ObservedError, subject: Subject, others: readonly Subject[]): boolean {
  const key = subjectKey(subject)
  if (about === key || (about !== undefined && subject.of?.includes(about) === true)) return true
  if (subject.name.length > 3 && text.includes(`"${subject.name}"`)) return true
  const same = others.filter(({ kind }) => kind === subject.kind)
  // What is said of a pod or its ServiceAccount is said of its volumes too.
  const ofWorkload = about?.startsWith('Pod ') === true || about?.startsWith('ServiceAccount ') === true
  return same.length === 1 && (about === undefined || (subject.kind !== 'Pod' && ofWorkload))
}

export const volumeErrors = errorsAmong('storage/volume-errors', ['PersistentVolume', 'StorageClass'])
export const claimErrors = errorsAmong('storage/claim-errors', ['PersistentVolumeClaim', 'PersistentVolume', 'Pod'])
export const driverErrors = errorsAmong('storage/driver-errors', ['CSIDriver'])
export const storeErrors = errorsAmong('storage/store-errors', ['PersistentVolume', 'Pod'])
