/** STS can fetch the issuer's keys. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { bucketClosing, keysForSts } from '../../probes/cluster/issuer-bucket.ts'
import { keySet } from '../../probes/cluster/keys.ts'
import { anyMintedToken } from '../../probes/cluster/minted-token.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { seenTokens } from '../../probes/cluster/seen-tokens.ts'

const publishing = /s3:\/\/([a-z0-9.-]{3,63})\/([^\s"']{0,300}?) \(with ACL="public-read"\): AccessDenied/
const refusedAcl = /\(with ACL="public-read"\): AccessDenied/
const notFetched = /IDPCommunicationError|Couldn't retrieve verification key/
const stamp = /\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:\.\d{1,9})?(?:Z|[+-]\d\d:?\d\d)?/

type Closed = { readonly bucket: string; readonly object: string; readonly setting: string }
const unnamed = 'BUCKET'

export const check = defineCheck({
  meta: {
    id: 'aws/issuer-keys-available-to-sts',
    title: "STS can fetch the issuer's keys",
    severity: 'error',
    scope: 'cluster',
    cloud: 'aws',
    section: 'Issuer',
    why: 'STS fetches the keys anonymously; a bucket that admits no anonymous readers hides them, whatever its owner can see.',
    fix: {
      safety: 'manual',
      does: 'Publish the two documents by a bucket policy for exactly these objects, or by a CDN in front whose host is the issuer; the bucket itself stays closed.',
    },
    links: [
      'https://github.com/kubernetes/kops/issues/14699',
      'https://github.com/awslabs/aws-sdk-rust/issues/827',
      'https://repost.aws/knowledge-center/iam-sts-invalididentitytoken',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/SELF_HOSTED_SETUP.md',
    ],
  },
  only: { probe: keysForSts, otherwise: 'STS fetches no keys of this cluster, or EKS publishes them' },
  needs: {},
  wants: { keysForSts, bucketClosing, keySet, anyMintedToken, seenTokens, observedErrors },
  after: ['cluster/issuer-is-public', 'cluster/discovery-is-public', 'cluster/published-keys-verify-tokens'],
  messages: {
    'bucket-refuses-public-read': ({ bucket, object, setting }: Closed) =>
      `bucket ${bucket} does not let anonymous readers at ${object}: ${setting}`,
    transient: ({ kid, time }: { kid: string; time: string }) =>
      `the keys are public and include ${kid}, yet STS could not fetch them at ${time}; retry`,
  },
  remedies: {
    'bucket-refuses-public-read': ({ bucket }) =>
      advice(
        `Publish the discovery document and the keys, and nothing else, from ${bucket === unnamed ? 'the bucket (BUCKET)' : `bucket ${bucket}`}: by a bucket policy that lets anybody read exactly these two objects, which takes leaving public policies unblocked for this bucket; or by a CDN in front of a closed bucket, whose host then is the issuer.`,
        sh`aws s3api get-public-access-block --bucket ${bucket}`,
        sh`aws s3api get-bucket-ownership-controls --bucket ${bucket}`,
      ),
    transient: () =>
      advice(
        'Have the workload try the exchange again, with some seconds in between (SDKs do so for IDPCommunicationError); where it lasts, look whether the host of the keys answers slowly or turns AWS away.',
      ),
  },
  judge: ({ want }) => {
    const texts = want.observedErrors.state === 'known' ? want.observedErrors.value : []
    const place = want.keysForSts.state === 'known' ? want.keysForSts.value.place : undefined
    const closing = want.bucketClosing.state === 'known' ? want.bucketClosing.value : []
    const published = want.keySet.state === 'known' ? want.keySet.value : undefined
    const acl = texts.find(({ text }) => refusedAcl.test(text))
    const byPolicy = closing.filter((one) => one === 'RestrictPublicBuckets' || one === 'BlockPublicPolicy')
    if (published === undefined && (acl !== undefined || byPolicy.length > 0)) {
      const [, bucket, object] = publishing.exec(acl?.text ?? '') ?? []
      const on = acl === undefined ? byPolicy : closing
      const told: readonly Evidence[] = [
        ...(on.length === 0
          ? []
          : [{ question: want.bucketClosing.from, path: 'PublicAccessBlockConfiguration', observed: on.join(', ') }]),
        ...(acl === undefined ? [] : [{ question: want.observedErrors.from, path: acl.place, observed: acl.text }]),
      ]
      return {
        status: 'fail',
        message: 'bucket-refuses-public-read',
        data: {
          bucket: bucket ?? place?.bucket ?? unnamed,
          object: object || place?.object || 'the issuer documents',
          setting: on.join(', ') || 'it takes no public ACL',
        },
        evidence: told,
      }
    }
    const missed = texts.find(({ text }) => notFetched.test(text))
    if (published === undefined)
      return {
        status: 'undecided',
        lacks: 'the published keys were not seen',
        lift: 'curl JWKS_URI > jwks.json',
        ...(missed === undefined
          ? {}
          : { evidence: [{ question: want.observedErrors.from, path: missed.place, observed: missed.text }] }),
      }
    const ids = published.keys.flatMap(({ kid }) => kid ?? [])
    const evidence: readonly Evidence[] = [{ question: want.keySet.from, path: 'keys[].kid', observed: ids }]
    if (missed === undefined) return { status: 'pass', evidence }
    const said: readonly Evidence[] = [
      ...evidence,
      { question: want.observedErrors.from, path: missed.place, observed: missed.text },
    ]
    const minted = want.anyMintedToken.state === 'known' ? want.anyMintedToken.value.keyId : undefined
    const held =
      want.seenTokens.state === 'known' ? want.seenTokens.value.tokens.flatMap(({ keyId }) => keyId ?? []) : []
    const kid = minted ?? held[0]
    if (kid === undefined || !ids.includes(kid))
      return {
        status: 'undecided',
        lacks: "the token's key was not seen among those that are published",
        evidence: said,
      }
    return {
      status: 'fail',
      message: 'transient',
      data: { kid, time: stamp.exec(missed.text)?.[0] ?? 'some time before' },
      evidence: said,
    }
  },
})
