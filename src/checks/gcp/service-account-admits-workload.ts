/** The Google service account lets this ServiceAccount impersonate it. */

import type { Evidence } from '../../core/check.ts'
import { defineCheck } from '../../core/check.ts'
import { accountOfMember, admits, memberFor, namedBy, readPoolMember, type Workload } from '../../domain/gcp-members.ts'
import { type Grant, grantsOf, holdsAt, mayImpersonate, nameOfResource } from '../../domain/gcp-policies.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, quoted, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleImpersonation } from '../../probes/gcp/policies.ts'

const minutes = 60_000
/** https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md: documented up to five minutes. */
const slowest = 5 * minutes
const role = 'roles/iam.workloadIdentityUser'

type Near = {
  readonly message:
    | 'pool-differs'
    | 'case-differs'
    | 'namespace-differs'
    | 'name-differs'
    | 'subject-differs'
    | 'attribute-not-mapped'
  readonly trusted: string
  readonly actual: string
}

/** How a member misses the workload by a little. */
function nearMiss(member: string, workload: Workload, mapped: readonly string[] | undefined): Near | undefined {
  const { namespace, name, pool } = workload
  const named = namedBy(member)
  const own = readPoolMember(member)
  if (own !== undefined && workload.mapped !== undefined && own.pool === workload.mapped.pool) {
    const attribute = /^(attribute\.[^/]+)\//.exec(own.selector)?.[1]
    if (attribute !== undefined && mapped !== undefined && !mapped.includes(attribute))
      return { message: 'attribute-not-mapped', trusted: attribute, actual: '' }
    if (
      own.selector.startsWith('subject/') &&
      workload.mapped.subject !== undefined &&
      own.number === workload.mapped.number
    )
      return {
        message: 'subject-differs',
        trusted: own.selector.slice('subject/'.length),
        actual: workload.mapped.subject,
      }
  }
  if (named === undefined) return undefined
  const same = named.namespace === namespace && named.name === name
  if (same && pool !== undefined && named.pool !== pool)
    return { message: 'pool-differs', trusted: named.pool, actual: pool }
  const lower = (text: string): string => text.toLowerCase()
  if (!same && lower(named.namespace) === lower(namespace) && lower(named.name) === lower(name))
    return { message: 'case-differs', trusted: `${named.namespace}/${named.name}`, actual: `${namespace}/${name}` }
  if (named.name === name && named.namespace !== namespace)
    return { message: 'namespace-differs', trusted: named.namespace, actual: namespace }
  if (named.namespace === namespace && named.name !== name)
    return { message: 'name-differs', trusted: named.name, actual: name }
  return undefined
}
const nearest = [
  'pool-differs',
  'case-differs',
  'namespace-differs',
  'name-differs',
  'subject-differs',
  'attribute-not-mapped',
] as const

export const check = defineCheck({
  meta: {
    id: 'gcp/service-account-admits-workload',
    title: 'The Google service account lets this ServiceAccount impersonate it',
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Binding',
    why: 'A Google service account gives tokens only to those whom its policy lets impersonate it, by pool, namespace and name, in this very case.',
    fix: {
      safety: 'review',
      does: 'Grant roles/iam.workloadIdentityUser on the one account to the one member; never on the project, never to a set, and take no other member out.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity',
      'https://github.com/kubernetes-sigs/external-dns/issues/2064',
      'https://github.com/cert-manager/cert-manager/issues/7649',
      'https://github.com/camunda/camunda/issues/31106',
      'https://github.com/cloudnative-pg/cloudnative-pg/pull/5370',
      'https://github.com/mscribellito/terraform-google-workload-identity-federation/issues/4',
      'https://github.com/external-secrets/external-secrets/issues/2754',
      'https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md',
    ],
  },
  only: { probe: googleImpersonation, otherwise: 'the workload acts as no Google service account' },
  needs: { googleImpersonation },
  wants: {},
  after: ['gcp/workload-pool-exists', 'gcp/google-service-account-is-active'],
  messages: {
    'no-binding': say(
      'no member of {account} that holds iam.serviceAccounts.getAccessToken matches {namespace}/{serviceAccount}; expected {member} with roles/iam.workloadIdentityUser',
    ),
    'namespace-differs': say('{account} admits namespace {trusted}; the ServiceAccount lives in {actual}'),
    'name-differs': say('{account} admits ServiceAccount {trusted}; this one is {actual}'),
    'case-differs': say('{account} admits {trusted}; this is {actual}, and Google compares case'),
    'pool-differs': say(
      '{account} admits {namespace}/{serviceAccount} of pool {trusted}; the pool of this cluster is {actual}',
    ),
    'subject-differs': say('{account} admits subject {trusted}; provider {provider} maps this token to {actual}'),
    'attribute-not-mapped': say('member {member} selects by {attribute}, which provider {provider} does not map'),
    'role-lacks-permission': say(
      '{member} holds {role} on {account}, which lacks iam.serviceAccounts.getAccessToken; expected roles/iam.workloadIdentityUser',
    ),
    'granted-to-itself': say(
      'project {project} grants {role} to {account} itself; expected a workload member on the policy of {account}',
    ),
    'on-another-account': say('{member} may impersonate {other}; the annotation names {account}'),
    'condition-excludes': say('the binding of {member} holds only while {expression}, which is false at {time}'),
    'granted-just-now': say('{member} was granted {age} ago; IAM takes up to {limit} to apply it'),
    'denied-although-bound': say(
      'IAM refused {permission} on {account}, yet its policy admits {member}: the pod runs as another ServiceAccount, the grant is newer than the error, or a deny policy applies',
    ),
    denied: say(
      'IAM refused to let the workload act as {account}: {error}; the policy of that account was not collected',
    ),
  },
  remedies: {
    'no-binding': advise(
      'Grant the ServiceAccount as it is today the role on this one account; other members stay.',
      'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
    ),
    'namespace-differs': advise(
      'Grant the ServiceAccount as it is today the role on this one account; other members stay.',
      'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
    ),
    'name-differs': advise(
      'Grant the ServiceAccount as it is today the role on this one account; other members stay.',
      'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
    ),
    'case-differs': advise(
      'Grant the ServiceAccount as it is today the role on this one account; other members stay.',
      'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
    ),
    'pool-differs': advise(
      'Grant the ServiceAccount as it is today the role on this one account; other members stay.',
      'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
    ),
    'subject-differs': advise(
      'Grant the ServiceAccount as it is today the role on this one account; other members stay.',
      'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
    ),
    'attribute-not-mapped': advise(
      'Have the provider map {attribute}, or grant the subject of this workload.',
      'gcloud iam workload-identity-pools providers describe {provider} --workload-identity-pool={pool} --location=global',
    ),
    'role-lacks-permission': advise(
      'Grant the ServiceAccount as it is today the role on this one account; other members stay.',
      'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
    ),
    'granted-to-itself': advise(
      'Grant the workload on the account itself: the grant to the account on the project does nothing here.',
      'gcloud iam service-accounts add-iam-policy-binding {account} --role=roles/iam.workloadIdentityUser --member={expected}',
    ),
    'on-another-account': advise(
      'Annotate the ServiceAccount with {other} if that is the one that is meant, or grant it on {account}.',
      'gcloud iam service-accounts get-iam-policy {account}',
    ),
    'condition-excludes': advise(
      'Ask whoever set the condition whether it is still meant, and have it renewed.',
      'gcloud iam service-accounts get-iam-policy {account} --format=json',
    ),
    'granted-just-now': advise('Wait until the grant is some minutes old and try again.'),
    'denied-although-bound': advise(
      'See which ServiceAccount the pod runs as, when the grant was made, and whether a deny policy holds for it.',
      'kubectl get pods -n {namespace} -o custom-columns=NAME:.metadata.name,SA:.spec.serviceAccountName',
      'gcloud iam service-accounts get-iam-policy {account}',
    ),
    denied: advise(
      'Read the policy of the account that the workload is to act as, and grant it the role where it is not in it.',
      'gcloud iam service-accounts get-iam-policy {account}',
    ),
  },
  judge: ({ have, subject }) => {
    if (have.googleImpersonation.state === 'absent')
      return { status: 'not-applicable', reason: 'the workload acts as no Google service account' }
    const { google, federation, email, workload, policy, project, roles, now, recent } = have.googleImpersonation.value
    const refusals = heardFor(google.heard, 'gcp/service-account-admits-workload')
    const [refusal] = refusals
    const observed = refusals.map(ofHeard)
    const expected = workload === undefined ? '' : memberFor(workload)
    const place = {
      account: email,
      namespace: workload?.namespace ?? subject.namespace ?? '',
      serviceAccount: workload?.name ?? '',
      member: expected,
      expected,
      role,
      provider: federation?.provider.state === 'known' ? federation.provider.value.id : '',
      pool: federation?.provider.state === 'known' ? federation.provider.value.pool : '',
    }
    const holds = (grant: Grant): boolean | undefined => mayImpersonate(grant.role, roles[grant.role])
    const ofProject = project.state === 'known' ? grantsOf(project.value) : []
    const itself = ofProject.find(
      (grant) =>
        holds(grant) === true &&
        accountOfMember(grant.member) !== undefined &&
        (email === '' || accountOfMember(grant.member) === email),
    )
    const toItself = (grant: Grant) =>
      ({
        status: 'fail',
        message: 'granted-to-itself',
        data: {
          ...place,
          account: accountOfMember(grant.member) ?? email,
          project: nameOfResource(grant.resource),
          role: grant.role,
        },
        evidence: [evidenceOf(project.from, `bindings[${grant.role}].members`, grant.member), ...observed],
      }) as const
    if (policy.state !== 'known' || workload === undefined) {
      if (refusal !== undefined && itself !== undefined) return toItself(itself)
      if (refusal !== undefined && policy.state !== 'known')
        return {
          status: 'fail',
          message: 'denied',
          data: {
            ...place,
            account: email === '' ? (refusal.values.account ?? 'a Google service account') : email,
            error: quoted(refusal),
          },
          evidence: observed,
        }
      return policy.state === 'unknown'
        ? undecidedBy(policy, observed)
        : { status: 'undecided', lacks: 'which workload acts as the account was not seen', evidence: observed }
    }
    const own = grantsOf(policy.value)
    const all = [...own, ...ofProject]
    const evidence: Evidence[] = [
      evidenceOf(
        policy.from,
        'bindings[].members',
        own.filter((grant) => holds(grant) !== false).map(({ member }) => member),
        expected,
      ),
      ...observed,
    ]
    const matching = all.filter(({ member }) => admits(member, workload) === true)
    const time = now.state === 'known' ? now.value : undefined
    const good = matching.filter((grant) => holds(grant) === true)
    const free = good.find(({ condition }) => condition === undefined || holdsAt(condition, time) === true)
    if (free !== undefined) {
      if (refusal === undefined) return { status: 'pass', evidence }
      const fresh = recent.state === 'known' ? recent.value.find(({ member }) => member === free.member) : undefined
      const age = fresh === undefined || time === undefined ? undefined : time - Date.parse(fresh.time)
      if (age !== undefined && age >= 0 && age < slowest)
        return {
          status: 'fail',
          message: 'granted-just-now',
          data: {
            ...place,
            member: free.member,
            age: `${Math.round(age / 1000)} s`,
            limit: `${slowest / minutes} minutes`,
          },
          evidence: [...evidence, evidenceOf(recent.from, free.member, fresh?.time ?? null)],
        }
      return {
        status: 'fail',
        message: 'denied-although-bound',
        data: { ...place, member: free.member, permission: 'iam.serviceAccounts.getAccessToken' },
        evidence,
      }
    }
    const [bound] = good
    if (bound?.condition !== undefined) {
      if (holdsAt(bound.condition, time) === false)
        return {
          status: 'fail',
          message: 'condition-excludes',
          data: {
            ...place,
            member: bound.member,
            expression: bound.condition,
            time: time === undefined ? '' : new Date(time).toISOString(),
          },
          evidence: [
            ...evidence,
            evidenceOf(policy.from, `bindings[${bound.role}].condition.expression`, bound.condition, true),
          ],
        }
      return {
        status: 'undecided',
        lacks: `the binding of ${bound.member} holds only while ${bound.condition}, which is not evaluated here`,
        evidence,
      }
    }
    const open = all.find((grant) => admits(grant.member, workload) === undefined && holds(grant) !== false)
    if (open !== undefined) {
      // What was not seen decides whether it is this one: the pool of the cluster, or what the provider maps.
      const gke = namedBy(open.member)
      if (gke === undefined || (gke.namespace === workload.namespace && gke.name === workload.name))
        return gke === undefined && federation !== undefined
          ? undecidedBy(
              federation.evaluated.state === 'unknown' ? federation.evaluated : google.world.cluster,
              evidence,
            )
          : undecidedBy(google.world.cluster, evidence)
    }
    const unsure = matching.find((grant) => holds(grant) === undefined)
    if (unsure !== undefined)
      return {
        status: 'undecided',
        lacks: `whether ${unsure.role} holds iam.serviceAccounts.getAccessToken was not seen`,
        lift: `gcloud iam roles describe ${unsure.role}`,
        evidence,
      }
    const weak = matching.find(
      ({ resource }) => resource.startsWith('serviceAccounts/') || resource.startsWith('unnamed/'),
    )
    const mapped = federation?.provider.state === 'known' ? Object.keys(federation.provider.value.mapping) : undefined
    const misses = own
      .filter((grant) => holds(grant) === true)
      .flatMap(({ member }) => {
        const near = nearMiss(member, workload, mapped)
        return near === undefined ? [] : [{ member, ...near }]
      })
    for (const message of nearest) {
      const near = misses.find((one) => one.message === message)
      if (near !== undefined)
        return {
          status: 'fail',
          message,
          data: {
            ...place,
            member: message === 'attribute-not-mapped' ? near.member : expected,
            attribute: near.trusted,
            trusted: near.trusted,
            actual: near.actual,
          },
          evidence,
        }
    }
    if (weak !== undefined)
      return {
        status: 'fail',
        message: 'role-lacks-permission',
        data: { ...place, member: weak.member, expected: weak.member, role: weak.role },
        evidence: [...evidence, evidenceOf(policy.from, 'bindings[].role', weak.role, role)],
      }
    if (itself !== undefined) return toItself(itself)
    const other = google.grants.find(
      (grant) =>
        grant.resource.startsWith('serviceAccounts/') &&
        nameOfResource(grant.resource) !== email &&
        mayImpersonate(grant.role, undefined) === true,
    )
    if (other !== undefined)
      return {
        status: 'fail',
        message: 'on-another-account',
        data: { ...place, member: other.member, other: nameOfResource(other.resource) },
        evidence: [...evidence, evidenceOf(policy.from, other.resource, other.member)],
      }
    if (isOpen(project) && refusal === undefined) return undecidedBy(project, evidence)
    return { status: 'fail', message: 'no-binding', data: place, evidence }
  },
})
