/** A token minted for the ServiceAccount: exactly the issuer, subject and key that its pods would get, without running anything. */
import { defineProbe, type Fact, inquire, known, type Soon, unknown } from '../../core/fact.ts'
import { audienceOf } from '../../domain/audiences.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { ServiceAccount } from '../../domain/workloads.ts'
import { tokenSubjectOf } from '../cluster/judged.ts'
import { lentToken, readToken, type Token } from '../cluster/minted-token.ts'
import { ownTokens } from './own-tokens.ts'
import { serviceAccount } from './service-account.ts'

/** What every token of the cluster shares, and what Kubernetes would write for this ServiceAccount; nothing of whom it was minted for. */
function borrowed({ issuer, keyId, algorithm, header }: Token, account: ServiceAccount): Token {
  const subject = tokenSubjectOf(account)
  const audiences = [audienceOf(account)]
  return {
    ...(issuer === undefined ? {} : { issuer }),
    ...(keyId === undefined ? {} : { keyId }),
    ...(algorithm === undefined ? {} : { algorithm }),
    subject,
    audiences,
    claims: { ...(issuer === undefined ? {} : { iss: issuer }), sub: subject, aud: audiences },
    header,
    borrowed: true,
  }
}

export const mintedToken = defineProbe({
  id: 'workload/minted-token',
  about: 'a token minted for the ServiceAccount',
  scope: 'service-account',
  needs: { serviceAccount },
  wants: { lentToken, ownTokens },
  only: 'serviceAccount',
  ask: ({ serviceAccount }, { lentToken, ownTokens }, inquiry): Soon<Fact<Token>> => {
    const { namespace, name } = serviceAccount.value
    // Documents that hold its token answer for it at no cost.
    const ownSeen = ownTokens.state === 'known' && ownTokens.value.tokens.length > 0
    if (lentToken.state !== 'known' || ownSeen)
      return inquire(
        inquiry,
        kubernetes.token({ namespace, name, audience: audienceOf(serviceAccount.value) }),
        readToken,
      )
    const { token } = lentToken.value
    if (token.state === 'known') return known(borrowed(token.value, serviceAccount.value), token.from)
    return token.state === 'unknown'
      ? token
      : unknown(
          'not-asked',
          'the first ServiceAccounts, whose token would stand for all, do not exist, so none was minted',
          token.from,
          'name a ServiceAccount: kubectl wi doctor sa/NAME',
        )
  },
})
