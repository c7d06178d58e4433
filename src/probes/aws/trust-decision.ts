/** What the role's trust policy says to the token of this ServiceAccount. */
import { absent, defineProbe, type Fact, known, type Soon, unknown } from '../../core/fact.ts'
import { at, isObject, type JsonObject, textsAt } from '../../core/json.ts'
import { federatedIn } from '../../domain/aws-federated.ts'
import { evaluateTrustPolicy, type TrustContext, type TrustDecision } from '../../domain/aws-trust-policy.ts'
import { looksLikeEks, meantIssuer } from '../../domain/aws-trust-provider.ts'
import { sh } from '../../domain/shell-words.ts'
import { clock } from '../cluster/clock.ts'
import { issuer } from '../cluster/issuer.ts'
import { mintedToken } from '../workload/minted-token.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { audience } from './audience.ts'
import { role } from './role.ts'
import { isWebIdentity, roleReference } from './role-reference.ts'

export type Trust = {
  readonly decision: TrustDecision
  /** Name of the role. */
  readonly role: string
  readonly subject: string
  readonly audience: string
  readonly issuer?: string
}

/** Absent where no web identity is bound, or there is no role. Unknown where the decision hangs on what was not seen. */
export const trustDecision = defineProbe({
  id: 'aws/trust-decision',
  about: "what the role's trust policy says to the ServiceAccount's token",
  scope: 'service-account',
  needs: { serviceAccount, roleReference, role },
  wants: { issuer, audience, clock, mintedToken },
  only: 'serviceAccount',
  ask: ({ serviceAccount, roleReference, role }, { issuer, audience, clock, mintedToken }): Soon<Fact<Trust>> => {
    if (roleReference.state === 'absent' || !isWebIdentity(roleReference.value)) return absent(roleReference.from)
    const { arn } = roleReference.value
    if (role.state === 'absent' || arn === undefined) return absent(role.from)
    const { namespace, name } = serviceAccount.value
    const subject = `system:serviceaccount:${namespace}:${name}`
    // People mask what they paste: an id of crosses is nobody's issuer.
    const masked =
      issuer.state === 'known' && issuer.value.via === 'error' && /x{3,}|\*{2,}|\.{3}|[<>…]/i.test(issuer.value.issuer)
    const seenIssuer = issuer.state === 'known' && !masked ? issuer.value.issuer : undefined
    const asked = audience.state === 'known' ? audience.value : undefined
    const context = {
      sub: subject,
      accountId: arn.account,
      partition: arn.partition,
      secureTransport: true,
      ...(mintedToken.state === 'known' ? ofClaims(mintedToken.value.claims) : {}),
      ...(seenIssuer === undefined ? {} : { issuer: seenIssuer }),
      ...(clock.state === 'known' ? { now: new Date(clock.value).toISOString() } : {}),
      // What else is in the call is up to the SDK and the network of the pod.
      unknown: seenIssuer === undefined ? ['*', 'issuer'] : ['*'],
    } satisfies TrustContext
    const { policy } = role.value
    const withAudience = (aud: string): TrustDecision => evaluateTrustPolicy(policy, { ...context, aud })
    const withoutAudience = (): TrustDecision =>
      evaluateTrustPolicy(policy, { ...context, unknown: [...context.unknown, 'aud'] })
    let decision = asked === undefined ? withoutAudience() : withAudience(asked.audience)
    const eks = federatedIn(policy).some((one) => looksLikeEks(meantIssuer(one)))
    if (asked !== undefined && !asked.certain && !eks && !decides(decision)) decision = withoutAudience()
    if (decision.decision === 'depends') {
      const lacks = decision.dependsOn.join(', ')
      const lift = decision.dependsOn.includes('issuer')
        ? issuer.state === 'unknown'
          ? issuer.lift
          : undefined
        : decision.dependsOn.includes('aud')
          ? sh`kubectl get pods -n ${namespace} -o yaml`
          : undefined
      return unknown('not-collected', `whether the trust policy admits the token depends on: ${lacks}`, role.from, lift)
    }
    return known(
      {
        decision,
        role: role.value.name,
        subject,
        audience: asked?.audience ?? 'not collected',
        ...(seenIssuer === undefined ? {} : { issuer: seenIssuer }),
      },
      role.from,
    )
  },
})

/** What beside issuer, subject and audience becomes a key: https://docs.aws.amazon.com/IAM/latest/UserGuide/id_session-tags.html */
function ofClaims(claims: JsonObject): Pick<TrustContext, 'amr' | 'keys'> {
  const amr = textsAt(claims, 'amr')
  const tags = at(claims, 'https://aws.amazon.com/tags', 'principal_tags')
  const names = isObject(tags) ? Object.keys(tags) : []
  return {
    ...(amr.length === 0 ? {} : { amr }),
    ...(names.length === 0
      ? {}
      : {
          keys: {
            'aws:TagKeys': names,
            ...Object.fromEntries(names.map((name) => [`aws:RequestTag/${name}`, textsAt(tags, name)[0] ?? ''])),
          },
        }),
  }
}

/** Whether it would stand with another audience too, or the policy's own is evidently a try at that of STS. */
const decides = ({ cause }: TrustDecision): boolean =>
  cause !== undefined && (cause.kind !== 'audience-differs' || /amazon|sts/i.test(cause.data.wanted))
