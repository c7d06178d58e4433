/** The proof of a ServiceAccount's identity from outside its pods: a token minted for it, exchanged as its pods would. */
import { isObject, textAt } from '../core/json.ts'
import type { Outcome, Proof } from '../core/proof.ts'
import { audienceOf, awsAudience, roleAnnotation } from '../domain/audiences.ts'
import { aws, kubernetes, type TokenName } from '../domain/questions.ts'
import { compared } from './prove-aws.ts'
import { judgeClaims, judgeSignature, prove, type Run } from './proving.ts'
import { told } from './told.ts'
import type { Opened } from './world.ts'

/** What of the exchange comes from elsewhere than the ServiceAccount's own annotations. */
export type Meant = { readonly roleArn: string; readonly audience: string; readonly by: string }

/** The minted token's own way: TokenRequest, claims, signature, STS, and whose session came of it. */
export async function exchangeMinted(run: Run, live: Opened, token: TokenName, { roleArn, by }: Meant): Promise<void> {
  const { source } = live
  const { attemptOf } = await import('../sources/live/pod-aws.ts')
  let header = {}
  let claims = {}
  const minted = await prove(run, 'minted', 'A token is minted for the ServiceAccount', async (): Promise<Outcome> => {
    const fact = await source.ask(kubernetes.token(token), run.stop)
    if (fact.state === 'absent')
      return { status: 'fail', says: `ServiceAccount ${token.namespace}/${token.name} does not exist` }
    if (fact.state === 'unknown')
      return { status: 'unknown', says: fact.detail, ...(fact.lift === undefined ? {} : { lift: fact.lift }) }
    if (isObject(fact.value) && isObject(fact.value.header)) header = fact.value.header
    if (isObject(fact.value) && isObject(fact.value.claims)) claims = fact.value.claims
    return { status: 'pass', says: `the cluster gives a token for ${token.audience}` }
  })
  const judged = { header, claims, unsigned: textAt(header, 'alg') === 'none' }
  const now = Date.now() / 1000
  await prove(run, 'claims', 'What the token claims', () => judgeClaims(judged, { usual: awsAudience }, now), minted)
  const check = () => judgeSignature(source, token, textAt(claims, 'iss'))
  await prove(run, 'signature', "The issuer's published keys verify it", check, minted)
  let arn = ''
  const exchanged = await prove(
    run,
    'exchange',
    'STS exchanges the token for credentials',
    async () => {
      const got = attemptOf(await source.ask(aws.exchange(token, roleArn), run.stop))
      if (got.state === 'done') arn = got.told.arn ?? ''
      return told(got, () => `STS gives a session of ${roleArn}`, `STS refuses the token for ${roleArn}`)
    },
    minted,
  )
  await prove(run, 'who-am-i', 'Who the cloud says that this is', () => compared(arn, roleArn, by), exchanged)
}

/** `--sa NAME`. */
export async function proveAccount(run: Run, live: Opened, name: string): Promise<readonly Proof[]> {
  const namespace = live.namespace ?? 'default'
  let meant: Meant | undefined
  const found = await prove(
    run,
    'identity',
    'The identity that the ServiceAccount names',
    async (): Promise<Outcome> => {
      const fact = await live.source.ask(kubernetes.get('serviceaccounts', namespace, name), run.stop)
      if (fact.state === 'absent')
        return {
          status: 'fail',
          says: `ServiceAccount ${namespace}/${name} does not exist`,
          causes: [{ check: 'workload/service-account-exists', says: 'the name or the namespace is another one' }],
        }
      if (fact.state === 'unknown')
        return { status: 'unknown', says: fact.detail, ...(fact.lift === undefined ? {} : { lift: fact.lift }) }
      const found = isObject(fact.value) && isObject(fact.value.metadata) ? fact.value.metadata.annotations : undefined
      const annotations = isObject(found)
        ? Object.fromEntries(
            Object.entries(found).flatMap(([key, value]) => (typeof value === 'string' ? [[key, value]] : [])),
          )
        : {}
      const roleArn = annotations[roleAnnotation]
      if (roleArn === undefined || roleArn === '')
        return {
          status: 'unknown',
          says: `it has no annotation ${roleAnnotation}, so there is no role to exchange a token for from here`,
          lift: `an identity that its pods get otherwise (EKS Pod Identity, a variable of their own): kubectl wi exchange-test --pod NAME, or inside the pod`,
        }
      meant = { roleArn, audience: audienceOf({ annotations }), by: `the annotation ${roleAnnotation}` }
      return {
        status: 'pass',
        says: 'web identity, by its annotation',
        details: [
          ['role', roleArn],
          ['audience', meant.audience],
        ],
      }
    },
  )
  if (found.status === 'pass' && meant !== undefined)
    await exchangeMinted(run, live, { namespace, name, audience: meant.audience }, meant)
  const role = meant?.roleArn
  return [
    { cloud: 'aws', mechanism: 'web identity', ...(role === undefined ? {} : { expected: role }), steps: run.steps },
  ]
}
