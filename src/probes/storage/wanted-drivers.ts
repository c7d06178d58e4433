/** The drivers that a volume, a claim or a pod waits for, and which of them the cluster has; absent where it waits for none that is known. */
import { absent, defineProbe, type Fact, type Inquiry, known, type Soon, type Unknown } from '../../core/fact.ts'
import { listAt, textAt } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import {
  type InTree,
  inTrees,
  knownDrivers,
  misspelt,
  readClaim,
  readCsiDriver,
  readStorageClass,
  type Volume,
} from '../../domain/storage-volumes.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { listed } from '../lists.ts'
import { readPod } from '../read-once.ts'
import { claimErrors } from './object-errors.ts'
import { nothing } from './storage-pod.ts'
import { volumes } from './volumes.ts'

export type Wanted = {
  /** `PersistentVolume pv-blob`, `claim data`. */
  readonly volume: string
  readonly driver: string
  readonly claim?: string
  readonly inTree?: InTree
}
export type WantedDrivers = {
  readonly wanted: readonly Wanted[]
  readonly installed: readonly string[] | Unknown
  /** Nobody says that there are no others. */
  readonly incomplete: boolean
  readonly node?: string
  /** Those that are registered on that node, where that was seen. */
  readonly onNode?: readonly string[]
}

async function ofClaim({ subject, ask }: Inquiry): Promise<readonly Wanted[]> {
  const answer = await ask(kubernetes.get('persistentvolumeclaims', subject.namespace, subject.name))
  const claim = answer.state === 'known' ? readClaim(answer.value) : undefined
  // What is bound waits for nobody.
  if (claim === undefined || claim.phase === 'Bound') return []
  const named = claim.storageClass
  const answered =
    named === undefined || named === '' ? undefined : await ask(kubernetes.get('storageclasses', undefined, named))
  const read = answered?.state === 'known' ? readStorageClass(answered.value) : undefined
  const inTree = read?.inTree ?? inTrees.find(({ provisioner }) => provisioner === claim.provisioner)
  const driver = read?.driver ?? inTree?.driver ?? claim.provisioner
  return driver === undefined
    ? []
    : [{ volume: `claim ${claim.name}`, driver, claim: claim.name, ...(inTree === undefined ? {} : { inTree }) }]
}

export const wantedDrivers = defineProbe({
  id: 'storage/wanted-drivers',
  about: 'the drivers that the volume needs, and those that the cluster has',
  scope: 'object',
  needs: {},
  wants: { volumes, claimErrors },
  ask: (_have, { volumes, claimErrors }, inquiry): Soon<Fact<WantedDrivers>> => {
    const own = volumes.state === 'known' ? volumes.value : []
    const errors = claimErrors.state === 'known' ? claimErrors.value : []
    // Hardly any pod of a large cluster has such a volume.
    if (own.length === 0 && errors.length === 0 && inquiry.subject.kind !== 'PersistentVolumeClaim') return nothing
    return lookFor(own, errors, inquiry)
  },
})

async function lookFor(
  own: readonly Volume[],
  errors: readonly ObservedError[],
  inquiry: Inquiry,
): Promise<Fact<WantedDrivers>> {
  const { subject, ask } = inquiry
  const wanted: Wanted[] =
    subject.kind === 'PersistentVolumeClaim'
      ? [...(await ofClaim(inquiry))]
      : own.flatMap(({ id, driver, inTree }) => {
          const name = driver ?? inTree?.driver
          return name === undefined ? [] : [{ volume: id, driver: name, ...(inTree === undefined ? {} : { inTree }) }]
        })
  for (const { text } of errors) {
    const driver = driverIn(text)
    if (driver !== undefined && !wanted.some((one) => one.driver === driver))
      wanted.push({ volume: 'a claim or volume', driver })
  }
  const question = kubernetes.list('csidrivers')
  const concerned = wanted.filter(
    ({ driver }) => knownDrivers.has(driver) || misspelt[driver] !== undefined || errors.length > 0,
  )
  if (concerned.length === 0) return absent(question)
  const answer = listed(await ask(question), readCsiDriver)
  const node = subject.kind === 'Pod' && errors.length > 0 ? await nodeOf(inquiry) : undefined
  return known(
    {
      wanted: concerned,
      installed:
        answer.state === 'unknown'
          ? answer
          : answer.state === 'known'
            ? answer.value.items.map(({ name }) => name)
            : [],
      incomplete: answer.state === 'known' && !answer.value.complete,
      ...node,
    },
    question,
  )
}

/** The driver of which one of the known texts speaks. */
export const driverIn = (text: string): string | undefined =>
  /external provisioner \\*["']([\w.-]{1,200}?)\\*["']/.exec(text)?.[1] ??
  /driver name "?([\w.-]{1,200})"? not found in the list/.exec(text)?.[1]

async function nodeOf({ subject, ask }: Inquiry): Promise<Pick<WantedDrivers, 'node' | 'onNode'>> {
  const pod = await ask(kubernetes.get('pods', subject.namespace, subject.name))
  const node = pod.state === 'known' ? readPod(pod.value)?.node : undefined
  if (node === undefined) return {}
  const answer = await ask(kubernetes.get('csinodes', undefined, node))
  return answer.state === 'known'
    ? { node, onNode: listAt(answer.value, 'spec', 'drivers').flatMap((one) => textAt(one, 'name') ?? []) }
    : { node }
}
