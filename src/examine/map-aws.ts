/** AWS on the map: trust policies against every ServiceAccount, and the associations of EKS Pod Identity. */
import type { Link } from '../core/identity-map.ts'
import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import { parseRoleArn, type RoleArn } from '../domain/arn.ts'
import { audienceOf, roleAnnotation } from '../domain/audiences.ts'
import { evaluateTrustPolicy } from '../domain/aws-trust-policy.ts'
import { hostPathOf, isEksIssuer } from '../domain/aws-trust-provider.ts'
import { evaluatePodIdentityTrust, type PodIdentityCall } from '../domain/aws-trust-service.ts'
import { accountIn, type Trusted, trustedBy } from '../domain/aws-trusted-subjects.ts'
import { aws } from '../domain/questions.ts'
import type { ServiceAccount } from '../domain/workloads.ts'
import { type Ground, trustedBeside } from './map-ground.ts'

/** Roles of an account that are looked into, beside those that somebody names. */
const mostRoles = 1000
/** Judgements of patterns; an account of a thousand roles in a cluster of ten thousand ServiceAccounts would be ten million. */
const mostJudged = 200_000

type Role = { readonly arn: string; readonly account: string; readonly policy: Json | undefined }

const serviceLinked = /:role\/aws-(?:service-role|reserved)\//u

async function rolesOf(ground: Ground): Promise<readonly Role[]> {
  const named = ground.accounts.flatMap(({ annotations }) => parseRoleArn(annotations[roleAnnotation] ?? '') ?? [])
  const arnOf = ({ partition, account, path, name }: RoleArn): string =>
    `arn:${partition}:iam::${account}:role${path}${name}`
  const wanted = new Map(named.map((arn) => [arnOf(arn), arn]))
  const isAws = named.length > 0 || (ground.issuer !== undefined && isEksIssuer(hostPathOf(ground.issuer)))
  if (!isAws && !ground.documents) return []
  const all = await ground.ask(aws.roles())
  if (all.state === 'unknown' && isAws)
    ground.unseen(`the roles of the account were not seen (only those that somebody names): ${all.detail}`)
  const listed = all.state === 'known' ? listAt(all.value, 'Roles') : []
  for (const one of listed.slice(0, mostRoles)) {
    const text = textAt(one, 'Arn') ?? ''
    const arn = parseRoleArn(text)
    if (arn !== undefined && !serviceLinked.test(text)) wanted.set(text, arn)
  }
  if (listed.length > mostRoles) ground.unseen(`of ${listed.length} roles only the first ${mostRoles} were looked into`)
  return Promise.all(
    [...wanted].map(async ([arn, { account, name }]): Promise<Role> => {
      const fact = await ground.ask(aws.role(account, name))
      if (fact.state === 'unknown') ground.unseen(`the trust policy of ${arn} was not seen: ${fact.detail}`)
      const policy = fact.state === 'known' ? at(fact.value, 'Role', 'AssumeRolePolicyDocument') : undefined
      // A role that is not there trusts nobody.
      return { arn, account, policy: fact.state === 'absent' ? {} : isObject(policy) ? policy : undefined }
    }),
  )
}

const link = (ground: Ground, who: Pick<ServiceAccount, 'namespace' | 'name'>, role: Role) =>
  ({
    namespace: who.namespace,
    name: who.name,
    ...ground.podsOf(who.namespace, who.name),
    cloud: 'aws',
    identity: role.arn,
  }) as const

/** Those of this cluster that a role lets through, and those who ask for it in vain. */
function ofRole(ground: Ground, role: Role, judged: { left: number }): readonly Link[] {
  const { accounts, issuer } = ground
  const isNamed = ({ annotations }: ServiceAccount): boolean => annotations[roleAnnotation] === role.arn
  const via = 'irsa'
  if (issuer === undefined && accounts.some(isNamed)) ground.needsIssuer()
  if (role.policy === undefined || issuer === undefined)
    return accounts
      .filter(isNamed)
      .map((who) => ({ ...link(ground, who, role), state: 'unseen', via, trust: 'unseen' }))
  const own = hostPathOf(issuer)
  const trusted = trustedBy(role.policy)
  const here = trusted.filter(({ hostPath }) => hostPath === own)
  const exact = new Set(
    here.flatMap(({ subjects }) => subjects.filter(({ pattern }) => !pattern).map(({ text }) => text)),
  )
  const open = here.filter(({ subjects }) => subjects.length === 0 || subjects.some(({ pattern }) => pattern))
  const patterns = open.flatMap(({ subjects }) =>
    subjects.length === 0 ? ['any subject'] : subjects.map(({ text }) => text),
  )
  const candidates = accounts.filter(
    (who) => isNamed(who) || exact.has(`system:serviceaccount:${who.namespace}:${who.name}`) || open.length > 0,
  )
  const found = candidates.flatMap((who): readonly Link[] => {
    judged.left -= 1
    if (judged.left < 0 && !isNamed(who)) return []
    const sub = `system:serviceaccount:${who.namespace}:${who.name}`
    const context = { issuer, sub, aud: audienceOf(who), accountId: role.account, unknown: ['*'] }
    const { decision } = evaluateTrustPolicy(role.policy, context)
    const base = link(ground, who, role)
    if (decision === 'deny' || decision === 'implicit-deny')
      return isNamed(who) ? [{ ...base, state: 'refused', via, trust: 'none' }] : []
    const state = isNamed(who) ? 'bound' : 'may'
    if (decision === 'depends') return [{ ...base, state, via, trust: 'conditional' }]
    return exact.has(sub)
      ? [{ ...base, state, via, trust: 'exact' }]
      : [{ ...base, state, via, trust: 'wildcard', pattern: patterns.join(' ') }]
  })
  const orphans = [...exact].flatMap((sub): readonly Link[] => {
    const who = accountIn(sub)
    return who === undefined ? [] : trustedBeside(ground, who, { ...link(ground, who, role), via, trust: 'exact' })
  })
  return [...found, ...orphans, ...trusted.flatMap((one) => (one.hostPath === own ? [] : elsewhere(ground, role, one)))]
}

function elsewhere(ground: Ground, role: Role, { hostPath, subjects }: Trusted): readonly Link[] {
  // Issuers of other systems (a CI's, say) have no ServiceAccounts.
  const ofClusters = subjects.filter(({ text }) => text.startsWith('system:serviceaccount:'))
  return ofClusters.flatMap(({ text, pattern }): readonly Link[] => {
    const who = accountIn(text)
    if (ground.namespace !== undefined && who?.namespace !== ground.namespace) return []
    const { pods: _, ...base } = link(ground, who ?? { namespace: '*', name: '*' }, role)
    return [
      {
        ...base,
        state: 'elsewhere',
        via: 'irsa',
        trust: pattern ? 'wildcard' : 'exact',
        ...(who === undefined ? { pattern: text } : {}),
        issuer: `https://${hostPath}`,
      },
    ]
  })
}

/** The cluster as the conditions of a trust may name it; left out where it was not seen. */
async function clusterOf({ ask }: Ground): Promise<Pick<PodIdentityCall, 'cluster'>> {
  const fact = await ask(aws.cluster())
  const [name, arn] = fact.state === 'known' ? ['name', 'arn'].map((key) => textAt(fact.value, 'cluster', key)) : []
  return name === undefined || arn === undefined ? {} : { cluster: { name, arn, account: arn.split(':')[4] ?? '' } }
}

async function ofAssociation(ground: Ground, one: Json): Promise<Link | undefined> {
  const namespace = textAt(one, 'namespace')
  const name = textAt(one, 'serviceAccount')
  if (namespace === undefined || name === undefined) return undefined
  if (ground.namespace !== undefined && namespace !== ground.namespace) return undefined
  const id = textAt(one, 'associationId') ?? textAt(one, 'associationArn')?.split('/').at(-1)
  const described = id === undefined ? undefined : await ground.ask(aws.podIdentityAssociation(id))
  const whole = described?.state === 'known' ? at(described.value, 'association') : undefined
  const arn = textAt(one, 'roleArn') ?? textAt(whole, 'roleArn')
  const parsed = parseRoleArn(arn ?? '')
  if (arn === undefined || parsed === undefined) {
    ground.unseen(`the role of the association of ${namespace}/${name} was not seen`)
    return undefined
  }
  const role = { arn, account: parsed.account, policy: undefined }
  const base = { ...link(ground, { namespace, name }, role), via: 'pod-identity' } as const
  if (ground.isMissing(namespace, name)) return { ...base, state: 'orphan', trust: 'exact' }
  const fact = await ground.ask(aws.role(parsed.account, parsed.name))
  if (fact.state === 'unknown') {
    ground.unseen(`the trust policy of ${arn} was not seen: ${fact.detail}`)
    return { ...base, state: 'unseen', trust: 'unseen' }
  }
  const policy = fact.state === 'known' ? at(fact.value, 'Role', 'AssumeRolePolicyDocument') : {}
  const tags = at(whole, 'disableSessionTags') !== true
  const call = { namespace, serviceAccount: name, tags, ...(await clusterOf(ground)) }
  const { decision } = evaluatePodIdentityTrust(policy, call)
  if (decision === 'allow') return { ...base, state: 'bound', trust: 'exact' }
  return decision === 'depends'
    ? { ...base, state: 'bound', trust: 'conditional' }
    : { ...base, state: 'refused', trust: 'none' }
}

async function ofAssociations(ground: Ground): Promise<readonly Link[]> {
  if (!ground.documents && (ground.issuer === undefined || !isEksIssuer(hostPathOf(ground.issuer)))) return []
  const all = await ground.ask(aws.podIdentityAssociations())
  if (all.state === 'unknown' && all.why !== 'not-collected')
    ground.unseen(`the associations of EKS Pod Identity were not seen: ${all.detail}`)
  const listed = all.state === 'known' ? listAt(all.value, 'associations') : []
  const links = await Promise.all(listed.map((one) => ofAssociation(ground, one)))
  return links.flatMap((one) => one ?? [])
}

/** Every link that trust policies and associations make; what they could not be judged by is noted on the ground. */
export async function awsLinks(ground: Ground): Promise<readonly Link[]> {
  const [roles, associations] = await Promise.all([rolesOf(ground), ofAssociations(ground)])
  const judged = { left: mostJudged }
  const links = roles.flatMap((role) => ofRole(ground, role, judged))
  if (judged.left < 0) ground.unseen(`patterns were judged for the first ${mostJudged} pairs only`)
  return [...links, ...associations]
}
