/** IRSA: the provider of the cluster's issuer, one statement in the role's trust policy, and one annotation. */
import { type Json, textAt, textsAt } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import { audienceAnnotation, awsAudience, isUsualAudience, roleAnnotation } from '../domain/audiences.ts'
import { addClientId, createProvider } from '../domain/aws-changes.ts'
import { admitting, withStatement } from '../domain/aws-trust-edits.ts'
import { evaluateTrustPolicy } from '../domain/aws-trust-policy.ts'
import { hostPathOf, providerArn } from '../domain/aws-trust-provider.ts'
import { isMasked, parseIssuer } from '../domain/issuer-url.ts'
import { aws, seen } from '../domain/questions.ts'
import { issuer } from '../probes/cluster/issuer.ts'
import { type BindBrief, seenOrEnd } from './bind-brief.ts'
import { type BoundRole, roleActions, type Trusting } from './bind-role.ts'
import { accountSeen, annotated } from './bind-service-account.ts'
import { usage } from './trouble.ts'

/** What is still to be done, the cloud's side first; of what is in place it says so. Throws usage errors where it would widen trust or cannot see what it would change. */
export async function byIssuer(brief: BindBrief, role: BoundRole): Promise<readonly Action[]> {
  const { flags } = brief
  const cloud = flags['service-account-only'] ? [] : await cloudSide(brief, role)
  return flags['cloud-only'] ? cloud : [...cloud, ...(await annotated(brief, roleAnnotation, role.arn))]
}

async function cloudSide(brief: BindBrief, role: BoundRole): Promise<readonly Action[]> {
  const found = seenOrEnd(await brief.ofCluster(issuer), "the issuer of the cluster's tokens")
  if (found === undefined || found.via === 'error' || isMasked(found.issuer))
    throw usage("the issuer of the cluster's tokens was not seen; it has to be known to be trusted")
  if (parseIssuer(found.issuer)?.scheme !== 'https')
    throw usage(`the issuer of the cluster's tokens is ${found.issuer}; AWS trusts issuers with https:// only`)
  const audience = await audienceOf(brief)
  const provider = await providerActions(brief, role, found.issuer, audience)
  return [...provider, ...(await roleActions(brief, role, await trusting(brief, role, found.issuer, audience)))]
}

/** Another audience is somebody's choice, and is nowhere chosen here. */
async function audienceOf(brief: BindBrief): Promise<string> {
  const account = await accountSeen(brief)
  const asked = account === undefined ? undefined : textAt(account, 'metadata', 'annotations', audienceAnnotation)
  if (asked === undefined || asked === '') return awsAudience
  if (isUsualAudience(asked)) return asked
  throw usage(
    `ServiceAccount ${brief.name} asks for audience ${asked} (${audienceAnnotation}), and trust is given for ${awsAudience} alone: take the annotation off first`,
  )
}

async function providerActions(
  { ask, say }: BindBrief,
  { account, partition }: BoundRole,
  issuer: string,
  audience: string,
): Promise<readonly Action[]> {
  const arn = providerArn({ partition, accountId: account, hostPath: hostPathOf(issuer) })
  const provider = seenOrEnd(await ask(aws.oidcProvider(arn)), `the OIDC provider of account ${account}`)
  if (provider === undefined)
    return [
      {
        summary: `Register ${issuer} as an OIDC provider of account ${account}, for audience ${audience}`,
        safety: 'review',
        ...createProvider({ partition, account }, issuer, [audience]),
      },
    ]
  if (!textsAt(provider, 'ClientIDList').includes(audience))
    return [
      {
        summary: `Have the provider of account ${account} accept audience ${audience}`,
        safety: 'review',
        ...addClientId(account, arn, audience),
      },
    ]
  say(`already so: account ${account} has an OIDC provider for ${issuer} that accepts ${audience}`)
  return []
}

async function trusting(
  { namespace, name, ask }: BindBrief,
  role: BoundRole,
  issuer: string,
  audience: string,
): Promise<Trusting> {
  const { account, partition } = role
  const subject = `system:serviceaccount:${namespace}:${name}`
  const statement = admitting({ issuer, subject, audience, accountId: account, partition })
  const now = await ask(seen.now())
  const context = {
    issuer,
    sub: subject,
    aud: audience,
    accountId: account,
    partition,
    secureTransport: true,
    ...(now.state === 'known' && typeof now.value === 'string' ? { now: now.value } : {}),
    unknown: ['*'],
  }
  return {
    statement,
    extended: (policy: Json) => {
      const { decision, decidedBy } = evaluateTrustPolicy(policy, context)
      if (decision === 'allow') return undefined
      if (decision === 'deny')
        throw usage(
          `Statement[${decidedBy[0] ?? 0}] of the trust policy of role ${role.name} denies ${subject}: ask whoever wrote it whom it protects, or use a role of its own`,
        )
      const next = withStatement(policy, statement)
      if (next === undefined) throw usage(`the trust policy of role ${role.name} is of a form that cannot be extended`)
      return JSON.parse(JSON.stringify(next))
    },
  }
}
