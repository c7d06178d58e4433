/** The Google service account lets this ServiceAccount impersonate it. */

import { defineCheck, type Evidence } from '../../core/check.ts'
import { impersonationMessages, impersonationRemedies } from '../../domain/gcp-impersonation-advice.ts'
import { accountOfMember, admits, memberFor, namedBy } from '../../domain/gcp-members.ts'
import { nearest, nearMiss } from '../../domain/gcp-near-misses.ts'
import { type Grant, grantsOf, holdsAt, mayImpersonate, nameOfResource } from '../../domain/gcp-policies.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, quoted, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleImpersonation } from '../../probes/gcp/policies.ts'
import { refusedBy } from '../../probes/gcp/proof.ts'

const minutes = 60_000
/** https://github.com/google-github-actions/auth/blob/main/docs/TROUBLESHOOTING.md: documented up to five minutes. */
const slowest = 5 * minutes
const role = 'roles/iam.workloadIdentityUser'

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
  messages: impersonationMessages,
  remedies: impersonationRemedies,
  judge: ({ have, subject }) => {
    if (have.googleImpersonation.state === 'absent')
      return { status: 'not-applicable', reason: 'the workload acts as no Google service account' }
    const {
      google,
      federation,
      email,
      workload,
      open: unseen,
      policy,
      project,
      roles,
      now,
      recent,
      proof,
    } = have.googleImpersonation.value
    // Whatever the policies say that were seen: a folder or the organisation may grant it, too.
    if (proof.state === 'known' && proof.value.outcome === 'exchanged' && proof.value.account === email)
      return { status: 'pass', evidence: [evidenceOf(proof.from, 'account', email)] }
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
      const unexplained = refusedBy(proof, undefined)
      if (unexplained !== undefined)
        return { status: 'undecided', lacks: `Google refuses the workload: ${unexplained}`, evidence }
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
          ? undecidedBy(federation.evaluated.state === 'unknown' ? federation.evaluated : unseen, evidence)
          : undecidedBy(unseen, evidence)
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
    // Whatever is written in the policy of the account: the project may let it in, and Google itself may have said so.
    const elsewhere = refusal === undefined ? [project, proof].find(isOpen) : undefined
    if (elsewhere !== undefined) return undecidedBy(elsewhere, evidence)
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
    return { status: 'fail', message: 'no-binding', data: place, evidence }
  },
})
