/** A token minted for a ServiceAccount, and what it claims: the steps from outside that come before the exchange, whatever the cloud. */
import { isObject, type JsonObject, textAt } from '../core/json.ts'
import type { Outcome, Step } from '../core/proof.ts'
import { kubernetes, type TokenName } from '../domain/questions.ts'
import { judgeClaims, judgeSignature, prove, type Run, unseen } from './proving.ts'
import type { Opened } from './world.ts'

/** TokenRequest, claims and signature; the step that the exchange builds on, and the claims. */
export async function proveMinted(
  run: Run,
  { source }: Pick<Opened, 'source'>,
  token: TokenName,
  wanted: { readonly usual?: string },
): Promise<{ readonly minted: Step; readonly claims: JsonObject }> {
  let header = {}
  let claims: JsonObject = {}
  const minted = await prove(run, 'minted', 'A token is minted for the ServiceAccount', async (): Promise<Outcome> => {
    const fact = await source.ask(kubernetes.token(token), run.stop)
    if (fact.state === 'absent') return nobody(token)
    if (fact.state === 'unknown') return unseen(fact)
    if (isObject(fact.value) && isObject(fact.value.header)) header = fact.value.header
    if (isObject(fact.value) && isObject(fact.value.claims)) claims = fact.value.claims
    return { status: 'pass', says: `the cluster gives a token for ${token.audience}` }
  })
  const judged = { header, claims, unsigned: textAt(header, 'alg') === 'none' }
  const now = Date.now() / 1000
  await prove(run, 'claims', 'What the token claims', () => judgeClaims(judged, wanted, now), minted)
  const check = () => judgeSignature(source, token, textAt(claims, 'iss'))
  await prove(run, 'signature', "The issuer's published keys verify it", check, minted)
  return { minted, claims }
}

export const nobody = ({ namespace, name }: Pick<TokenName, 'namespace' | 'name'>): Outcome => ({
  status: 'fail',
  says: `ServiceAccount ${namespace}/${name} does not exist`,
  causes: [{ check: 'workload/service-account-exists', says: 'the name or the namespace is another one' }],
})
