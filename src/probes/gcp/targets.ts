/** What a workload reaches with its identity: buckets and projects, with their policies, as far as a refusal or a folder names them. */
import { absent, defineProbe, type Fact, type Inquiry, known, reading } from '../../core/fact.ts'
import { at, textAt } from '../../core/json.ts'
import { nameOfResource, type Policy } from '../../domain/gcp-policies.ts'
import { gcp } from '../../domain/questions.ts'
import { type GoogleAccount, googleAccount } from './account.ts'
import { type Federation, googleFederation } from './federation.ts'
import { policyFact } from './policies.ts'

export type BucketAccess = { readonly uniform?: boolean; readonly name: string }
export type Reach = {
  readonly google: GoogleAccount
  readonly federation?: Federation
  /** The bucket that a text names, or the only one of the folder. */
  readonly bucket?: string
  readonly bucketPolicy: Fact<Policy>
  readonly bucketDocument: Fact<BucketAccess>
  readonly projectPolicies: readonly Policy[]
}

const inText =
  /(?:storage\.googleapis\.com\/(?:storage\/v1\/b\/|upload\/storage\/v1\/b\/)?|gs:\/\/|buckets?[/ ]["']?)([a-z0-9][a-z0-9._-]{2,62})/

async function bucketOf(
  { world, heard }: GoogleAccount,
  ask: Inquiry['ask'],
): Promise<Pick<Reach, 'bucket' | 'bucketPolicy' | 'bucketDocument'>> {
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
    (collected.length === 1 ? collected[0] : said.find((one) => one !== undefined))
  const none = absent(gcp.collected())
  if (bucket === undefined) return { bucketPolicy: none, bucketDocument: none }
  return {
    bucket,
    bucketPolicy: policyFact(await ask(gcp.bucketPolicy(bucket)), `buckets/${bucket}`),
    bucketDocument: reading(await ask(gcp.bucket(bucket)), (json) => {
      const uniform = at(json, 'uniformBucketLevelAccess')
      return { name: textAt(json, 'name') ?? bucket, ...(typeof uniform === 'boolean' ? { uniform } : {}) }
    }),
  }
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
    return known(
      {
        google,
        ...(googleFederation.state === 'known' ? { federation: googleFederation.value } : {}),
        ...(await bucketOf(google, ask)),
        projectPolicies: google.world.policies.filter(({ resource }) => resource.startsWith('projects/')),
      },
      google.fact.from,
    )
  },
})
