/** What explains that STS denied: the trust policy, or a policy of the organization above it. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../../core/json.ts'
import { evaluateTrustPolicy } from '../../domain/aws-trust-policy.ts'
import { aws } from '../../domain/questions.ts'
import { isDenied, stsAnswers } from './exchange.ts'
import { role } from './role.ts'
import { roleReference } from './role-reference.ts'
import { trustDecision } from './trust-decision.ts'

export type OpenTrust = {
  readonly verdict: 'allow' | 'deny' | 'depends'
  readonly role: string
  readonly issuer: string
}

/** The same where STS was seen to deny, as far as it can be told; absent where nobody denied, or the role was not seen. */
export const openTrust = defineProbe({
  id: 'aws/open-trust',
  about: 'whether the trust policy explains that STS denied',
  scope: 'service-account',
  needs: {},
  wants: { stsAnswers, role, trustDecision },
  ask: (_have, { stsAnswers, role, trustDecision }): Fact<OpenTrust> => {
    const denied = stsAnswers.state === 'known' && stsAnswers.value.answers.some(({ text }) => isDenied(text))
    if (!denied || role.state !== 'known' || trustDecision.state === 'absent') return absent(role.from)
    if (trustDecision.state === 'unknown')
      return known({ verdict: 'depends', role: role.value.name, issuer: 'not collected' }, role.from)
    const { decision, issuer = 'not collected' } = trustDecision.value
    return known(
      { verdict: decision.decision === 'allow' ? 'allow' : 'deny', role: role.value.name, issuer },
      role.from,
    )
  },
})

/** The name of a resource control policy that denies this call; asked only where STS denied what the trust policy admits. */
export const denyingPolicy = defineProbe({
  id: 'aws/denying-control-policy',
  about: 'a resource control policy that denies the exchange',
  scope: 'service-account',
  needs: {},
  wants: { stsAnswers, trustDecision, roleReference },
  ask: (_have, { stsAnswers, trustDecision, roleReference }, inquiry): Soon<Fact<string>> => {
    const answered = stsAnswers.state === 'known' ? stsAnswers.value : undefined
    const denied = answered !== undefined && !answered.exchanged && answered.answers.some(({ text }) => isDenied(text))
    if (!denied || trustDecision.state !== 'known' || trustDecision.value.decision.decision !== 'allow')
      return absent(stsAnswers.from)
    const arn = roleReference.state === 'known' ? roleReference.value : undefined
    const { subject, issuer, audience } = trustDecision.value
    return onward(inquiry.ask(aws.resourceControlPolicies()), (fact): Fact<string> => {
      if (fact.state !== 'known') return fact
      for (const policy of listAt(fact.value, 'Policies')) {
        const denying = denials(at(policy, 'Content'), arn?.value ?? '')
        const { decision } = evaluateTrustPolicy(denying, {
          sub: subject,
          aud: audience,
          ...(issuer === undefined ? {} : { issuer }),
          ...(arn?.arn === undefined ? {} : { accountId: arn.arn.account, partition: arn.arn.partition }),
          secureTransport: true,
          unknown: issuer === undefined ? ['*', 'issuer'] : ['*'],
        })
        if (decision === 'deny')
          return known(textAt(policy, 'Name') ?? textAt(policy, 'Id') ?? 'not collected', fact.from)
      }
      return absent(fact.from)
    })
  },
})

/** The Deny statements that reach this role, in the form of a trust policy: which names no resource. */
function denials(content: Json | undefined, roleArn: string): Json {
  let policy = content
  if (typeof content === 'string')
    try {
      policy = JSON.parse(content.slice(0, 100_000))
    } catch {
      return { Version: '2012-10-17', Statement: [] }
    }
  const all = at(policy, 'Statement')
  const statements = isObject(all) ? [all] : listAt(policy, 'Statement')
  return {
    Version: textAt(policy, 'Version') ?? '2012-10-17',
    Statement: statements.filter(isObject).flatMap(({ Resource, ...statement }) => {
      const resources = typeof Resource === 'string' ? [Resource] : listAt({ Resource: Resource ?? [] }, 'Resource')
      const reached = resources.some((one) => one === '*' || one === roleArn)
      return statement.Effect === 'Deny' && reached && statement.NotResource === undefined ? [statement] : []
    }),
  }
}
