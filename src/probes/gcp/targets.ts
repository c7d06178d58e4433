/** What a workload reaches with its identity: buckets and projects, with their policies, as far as a refusal or a folder names them. */
import { absent, defineProbe, type Fact, type Inquiry, known, reading } from '../../core/fact.ts'
import { at, textAt, textsAt } from '../../core/json.ts'
import { impersonates } from '../../domain/gcp-credentials.ts'
import type { Workload } from '../../domain/gcp-members.ts'
import { nameOfResource, type Policy } from '../../domain/gcp-policies.ts'
import { type GoogleExchange, gcp } from '../../domain/questions.ts'
import { type GoogleAccount, googleAccount } from './account.ts'
import { type Federation, googleFederation } from './federation.ts'
import { mappedOf, policyFact } from './policies.ts'
import { orderOnGke } from './proof.ts'

export type BucketAccess = { readonly uniform?: boolean; readonly name: string }
export type Reach = {
  readonly google: GoogleAccount
  readonly federation?: Federation
  /** Whom it acts as, where that is not itself. */
  readonly email?: string
  /** As members may name it: with what its provider maps, where it has one. */
  readonly workload?: Workload
  /** The bucket that a text names, that its pods mount, or the only one of the folder. */
  readonly bucket?: string
  /** A pod of it mounts the bucket. */
  readonly isMounted: boolean
  /** What it may do with the bucket by its own answer; absent where it could not be asked. */
  readonly access: Fact<readonly string[]>
  readonly bucketPolicy: Fact<Policy>
  readonly bucketDocument: Fact<BucketAccess>
  readonly projectPolicies: readonly Policy[]
}

const inText =
  /(?:storage\.googleapis\.com\/(?:storage\/v1\/b\/|upload\/storage\/v1\/b\/)?|gs:\/\/|buckets?[/ ]["']?)([a-z0-9][a-z0-9._-]{2,62})/

const driver = 'gcsfuse.csi.storage.gke.io'

/** Volumes of the CSI driver in the pods themselves; `_` stands for all buckets. */
const mountedIn = ({ pods }: GoogleAccount): readonly string[] =>
  pods.flatMap(({ storage }) =>
    (storage?.volumes ?? []).flatMap((volume) => {
      const name = volume.driver === driver ? volume.attributes.bucketName : undefined
      return name === undefined || !/^[a-z0-9][a-z0-9._-]{2,62}$/.test(name) ? [] : [name]
    }),
  )

async function bucketOf(
  google: GoogleAccount,
  ask: Inquiry['ask'],
): Promise<Pick<Reach, 'bucket' | 'bucketPolicy' | 'bucketDocument' | 'isMounted'>> {
  const { world, heard } = google
  const mounted = mountedIn(google)
  const said = heard
    .filter(({ error }) => /storage\.|Uniform Bucket|bucket/i.test(error.text))
    .map(({ error }) => inText.exec(error.text.replace(/Google Cloud Storage bucket/g, ''))?.[1])
  const collected = [
    ...new Set([
      ...world.buckets,
      ...world.policies.flatMap(({ resource }) => (resource.startsWith('buckets/') ? [nameOfResource(resource)] : [])),
    ]),
  ]
  const bucket =
    said.find((one) => one !== undefined && collected.includes(one)) ??
    (collected.length === 1 ? collected[0] : (said.find((one) => one !== undefined) ?? mounted[0]))
  const none = absent(gcp.collected())
  if (bucket === undefined) return { bucketPolicy: none, bucketDocument: none, isMounted: false }
  return {
    bucket,
    isMounted: mounted.includes(bucket),
    bucketPolicy: policyFact(await ask(gcp.bucketPolicy(bucket)), `buckets/${bucket}`),
    bucketDocument: reading(await ask(gcp.bucket(bucket)), (json) => {
      const uniform = at(json, 'uniformBucketLevelAccess')
      return { name: textAt(json, 'name') ?? bucket, ...(typeof uniform === 'boolean' ? { uniform } : {}) }
    }),
  }
}

/** The same exchange that others ask for, so that it is made once. */
function orderOf({ world, workload, email, annotation, grants }: GoogleAccount, federation: Federation | undefined) {
  if (federation?.named !== undefined) return federation.order
  const isDirect = annotation === undefined && grants.some(({ resource }) => !resource.startsWith('serviceAccounts/'))
  if (workload === undefined || world.cluster.state !== 'known' || (email === undefined && !isDirect)) return undefined
  return orderOnGke(workload, world.cluster.value, email)
}

async function accessTo(
  bucket: string | undefined,
  order: GoogleExchange | undefined,
  ask: Inquiry['ask'],
): Promise<Reach['access']> {
  if (bucket === undefined || order === undefined) return absent(gcp.collected())
  return reading(await ask(gcp.bucketAccess(order, bucket)), (json) => textsAt(json, 'permissions'))
}

export const googleReach = defineProbe({
  id: 'gcp/reach',
  about: 'what the workload reaches with its identity',
  scope: 'service-account',
  needs: { googleAccount },
  wants: { googleFederation },
  only: 'googleAccount',
  ask: async ({ googleAccount }, { googleFederation }, { ask }): Promise<Fact<Reach>> => {
    const google = googleAccount.value
    const federation = googleFederation.state === 'known' ? googleFederation.value : undefined
    const found = await bucketOf(google, ask)
    const email = google.email ?? (federation?.configuration && impersonates(federation.configuration))
    const mapped = mappedOf(federation)
    const workload = google.workload && { ...google.workload, ...(mapped === undefined ? {} : { mapped }) }
    return known(
      {
        google,
        ...(federation === undefined ? {} : { federation }),
        ...(email === undefined ? {} : { email }),
        ...(workload === undefined ? {} : { workload }),
        ...found,
        access: await accessTo(found.bucket, orderOf(google, federation), ask),
        projectPolicies: google.world.policies.filter(({ resource }) => resource.startsWith('projects/')),
      },
      google.fact.from,
    )
  },
})
