/** Whether STS fetches this cluster's keys at all, and whether the bucket that they lie in lets it. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { parseIssuer } from '../../domain/issuer-url.ts'
import { aws } from '../../domain/questions.ts'
import { federation } from './federation.ts'
import { issuer } from './issuer.ts'
import { keySet } from './keys.ts'
import { observedErrors } from './observed-errors.ts'

/** STS could not fetch keys, or somebody could not publish them. */
export const ofKeys =
  /IDPCommunicationError|Couldn't retrieve verification key|\(with ACL="public-read"\): AccessDenied/

export type Place = { readonly bucket: string; readonly object: string }

/** `BUCKET.s3.REGION.amazonaws.com/PATH` or `s3.REGION.amazonaws.com/BUCKET/PATH`; undefined for every other host. */
export function bucketOf(url: string): Place | undefined {
  const parsed = parseIssuer(url)
  if (parsed?.scheme !== 'https') return undefined
  const [, own, style] = /^(?:(.+)\.)?(s3(?:[.-][a-z0-9-]+)*\.amazonaws\.com(?:\.cn)?)$/.exec(parsed.host) ?? []
  if (style === undefined) return undefined
  const path = url.replace(/^https:\/\/[^/]*\/?/, '').replace(/\/$/, '')
  if (own !== undefined) return { bucket: own, object: path === '' ? 'the issuer documents' : `${path}/` }
  const [bucket, ...rest] = path.split('/')
  return bucket === undefined || bucket === ''
    ? undefined
    : { bucket, object: rest.length === 0 ? 'the issuer documents' : `${rest.join('/')}/` }
}

const eks = /^https:\/\/oidc[.-]eks(-fips)?\.[a-z0-9-]+\./

export type KeysForSts = { readonly issuer?: string; readonly place?: Place }

/** Absent where STS does not read the keys of this cluster, or EKS publishes them and no text says that STS could not get them. */
export const keysForSts = defineProbe({
  id: 'cluster/keys-for-sts',
  about: 'whether STS fetches the keys',
  scope: 'cluster',
  needs: {},
  wants: { federation, issuer, observedErrors },
  ask: (_have, { federation, issuer, observedErrors }): Fact<KeysForSts> => {
    const texts = observedErrors.state === 'known' ? observedErrors.value : []
    const own = issuer.state === 'known' ? issuer.value.issuer : undefined
    const place = own === undefined ? undefined : bucketOf(own)
    const facts = { ...(own === undefined ? {} : { issuer: own }), ...(place === undefined ? {} : { place }) }
    if (texts.some(({ text }) => ofKeys.test(text))) return known(facts, observedErrors.from)
    if (federation.state === 'unknown') return federation
    if (federation.state === 'absent' || !federation.value.clouds.includes('aws')) return absent(federation.from)
    if (issuer.state === 'unknown') return issuer
    return own === undefined || eks.test(own) ? absent(issuer.from) : known(facts, issuer.from)
  },
})

const settings = ['RestrictPublicBuckets', 'BlockPublicPolicy', 'IgnorePublicAcls', 'BlockPublicAcls'] as const
export type Closing = (typeof settings)[number] | 'BucketOwnerEnforced'

/** What closes the bucket to the public; absent where the keys were fetched all the same, and where they do not lie in S3. */
export const bucketClosing = defineProbe({
  id: 'cluster/bucket-closing',
  about: "what closes the issuer's bucket to the public",
  scope: 'cluster',
  needs: {},
  wants: { keysForSts, keySet },
  ask: (_have, { keysForSts, keySet }, inquiry): Soon<Fact<readonly Closing[]>> => {
    const place = keysForSts.state === 'known' ? keysForSts.value.place : undefined
    if (place === undefined || keySet.state === 'known') return absent(keysForSts.from)
    const question = aws.bucketPublicAccess(place.bucket)
    return onward(inquiry.ask(question), (own) =>
      onward(inquiry.ask(aws.accountPublicAccess()), (all) =>
        onward(inquiry.ask(aws.bucketOwnership(place.bucket)), (owner): Fact<readonly Closing[]> => {
          const on = settings.filter((one) =>
            [own, all].some(
              (fact) => fact.state === 'known' && at(fact.value, 'PublicAccessBlockConfiguration', one) === true,
            ),
          )
          const rules = owner.state === 'known' ? listAt(owner.value, 'OwnershipControls', 'Rules') : []
          const enforced = rules.some((one) => textAt(one, 'ObjectOwnership') === 'BucketOwnerEnforced')
          const found: readonly Closing[] = enforced ? [...on, 'BucketOwnerEnforced'] : on
          if (found.length > 0) return known(found, question)
          return own.state === 'unknown' ? own : absent(question)
        }),
      ),
    )
  },
})
