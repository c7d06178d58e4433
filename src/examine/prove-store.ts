/** The proof of a store under the identity that was got: listed, read, and where that is wished written to. */
import { randomBytes } from 'node:crypto'
import type { Outcome, Step } from '../core/proof.ts'
import { storeLimits } from '../knowledge/store-limits.ts'
import type { Store } from '../sources/live/pod-stores.ts'
import { prove, type Run } from './proving.ts'
import { told } from './told.ts'

export type StoreKind = keyof typeof storeLimits

export type StoreOrder = {
  readonly kind: StoreKind
  /** `BUCKET`, or `ACCOUNT/CONTAINER`. */
  readonly name: string
  readonly store: Store
  readonly write: boolean
}

const names: { readonly [kind in StoreKind]: string } = { s3: 'S3', gcs: 'Cloud Storage', blob: 'Blob Storage' }
const schemes: { readonly [kind in StoreKind]: string } = { s3: 's3://', gcs: 'gs://', blob: '' }

export const placeOf = (kind: StoreKind, name: string): string => `${schemes[kind]}${name}`

/** `after` is the last step that the store builds on; each refusal keeps the store's own words. */
export async function proveStore(run: Run, { kind, name, store, write }: StoreOrder, after: Step): Promise<void> {
  const who = names[kind]
  const place = placeOf(kind, name)
  let object: { readonly key: string; readonly empty: boolean } | undefined
  const listed = await prove(
    run,
    `${kind}-list`,
    `Listing ${place}`,
    async (): Promise<Outcome> => {
      const got = await store.list()
      if (got.state === 'done' && got.told.key !== undefined)
        object = { key: got.told.key, empty: got.told.size === '0' }
      const is = ({ objects = '' }) => (objects === 'none' ? 'there is nothing in it' : 'there is something in it')
      const outcome = told(got, (seen) => `it was listed: ${is(seen)}`, `${who} refuses to list ${name}`)
      return outcome.status === 'pass'
        ? { ...outcome, details: [...(outcome.details ?? []), ...storeLimits[kind]] }
        : outcome
    },
    after,
  )
  const { key, empty } = object ?? { key: undefined, empty: true }
  if (key !== undefined)
    await prove(run, `${kind}-read`, `Reading from ${place}`, async () =>
      told(await store.read(key, empty), () => 'an object was read', `${who} refuses to read from ${name}`),
    )
  if (write)
    await prove(
      run,
      `${kind}-write`,
      `Writing to ${place}`,
      () => putAndRemove(store, who, name, listed.status === 'pass' && key === undefined),
      listed.status === 'fail' ? after : listed,
    )
}

/** A small object of our own: put, read where there was nothing else to read, and deleted whatever came of that. */
async function putAndRemove(store: Store, who: string, name: string, reads: boolean): Promise<Outcome> {
  const key = `kubectl-wi-exchange-test-${randomBytes(6).toString('hex')}`
  const put = told(await store.put(key), () => '', `${who} refuses to put an object into ${name}`)
  if (put.status !== 'pass') return put
  const read = reads
    ? told(await store.read(key, false), () => '', `${who} took the object ${key}, and refuses to read it`)
    : undefined
  const removed = told(
    await store.remove(key),
    () => `the object ${key} was put${reads ? ', read' : ''} and deleted again`,
    `${who} took the object ${key}, and refuses to delete it: it stays in ${name}`,
  )
  if (removed.status === 'unknown')
    return { ...removed, says: `the object ${key} was put, and may still be in ${name}: ${removed.says}` }
  return read === undefined || read.status === 'pass' || removed.status === 'fail' ? removed : read
}
