/** The ServiceAccount's annotation selects the identity that holds the grants. */
import { defineCheck } from '../../core/check.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { isGkePool, principalOf, readPoolMember } from '../../domain/gcp-members.ts'
import { type Grant, grantsOf, mayImpersonate, nameOfResource } from '../../domain/gcp-policies.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { writtenAt } from '../../domain/workloads.ts'
import { googleAccount, openIn } from '../../probes/gcp/account.ts'
import { mapBehind } from '../../probes/gcp/federation.ts'
import { evidenceOf, heardFor, isOpen, ofHeard, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleImpersonation } from '../../probes/gcp/policies.ts'

/** https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity: tokens live an hour. */
const hour = 3_600_000

/** Whoever comes through a provider of another pool names the account in a configuration: the annotation is read on GKE alone. */
const isOfGke = (member: string): boolean => {
  const one = readPoolMember(member)
  return one === undefined || isGkePool(one.pool)
}

export const check = defineCheck({
  meta: {
    id: 'gcp/annotation-agrees-with-grants',
    title: "The ServiceAccount's annotation selects the identity that holds the grants",
    severity: 'error',
    scope: 'service-account',
    cloud: 'gcp',
    section: 'Binding',
    why: 'With the annotation the token is the one of the account, without it that of the pool; grants to the other one help nobody, for no request tries both.',
    fix: {
      safety: 'review',
      does: 'Annotate the ServiceAccount with the one account that admits it, or take the annotation away where the roles went to the direct principal; never both, and move no role.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity',
      'https://cloud.google.com/kubernetes-engine/docs/concepts/workload-identity',
      'https://github.com/GoogleCloudPlatform/accelerated-platforms/pull/465',
    ],
  },
  only: { probe: googleAccount, otherwise: 'the ServiceAccount is bound to no identity of Google' },
  needs: { googleAccount },
  wants: { googleImpersonation },
  after: ['gcp/annotation-names-a-service-account'],
  messages: {
    'annotation-missing': say(
      '{account} admits {namespace}/{serviceAccount}, but the ServiceAccount has no annotation iam.gke.io/gcp-service-account: its requests go out as {principal}, which no collected policy grants anything',
    ),
    'annotation-not-seen': say(
      'the metadata server saw no annotation on {namespace}/{serviceAccount} and used pool {pool}; expected {account}',
    ),
    'annotation-left-over': say('the annotation selects {account}; {resource} grants {role} to {principal} only'),
    'annotation-newer-than-pod': say(
      'the annotation of {namespace}/{serviceAccount} changed at {changed}, pod {pod} started at {started}: tokens of the former identity stay in use for up to an hour',
    ),
  },
  remedies: {
    'annotation-missing': advise(
      'Annotate the ServiceAccount with {account}, then restart what runs as it.',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account={account}',
    ),
    'annotation-not-seen': advise(
      'Annotate the ServiceAccount with the account that is meant, and restart what runs as it; the metadata server asked about it before.',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account={account} --overwrite',
    ),
    'annotation-left-over': advise(
      'Take the annotation away, since the roles are with the direct principal; then restart what runs as it. Or grant {role} to {account}, but not both.',
      'kubectl annotate serviceaccount/{serviceAccount} -n {namespace} iam.gke.io/gcp-service-account-',
    ),
    'annotation-newer-than-pod': advise(
      'Restart what runs as the ServiceAccount, or wait for an hour.',
      'kubectl get pods -n {namespace} --field-selector spec.serviceAccountName={serviceAccount}',
    ),
  },
  judge: ({ have, want, subject }) => {
    if (have.googleAccount.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount is bound to no identity of Google' }
    const {
      world,
      fact,
      account,
      annotation,
      email,
      grants,
      openGrants,
      heard,
      pods,
      workload,
      podsFact,
      now: clock,
    } = have.googleAccount.value
    const { googleImpersonation } = want
    const [text] = heardFor(heard, 'gcp/annotation-agrees-with-grants')
    const pool = workload?.pool ?? text?.values.pool ?? 'PROJECT_ID.svc.id.goog'
    const principal =
      workload === undefined ? '' : principalOf(workload.number, pool, `ns/${workload.namespace}/sa/${workload.name}`)
    const place = {
      namespace: workload?.namespace ?? text?.values.namespace ?? '',
      serviceAccount: workload?.name ?? text?.values.serviceAccount ?? '',
      principal,
      pool,
    }
    const admitting = grants.filter(
      ({ resource, role, member }) =>
        resource.startsWith('serviceAccounts/') && mayImpersonate(role, undefined) === true && isOfGke(member),
    )
    const accounts = [...new Set(admitting.map(({ resource }) => nameOfResource(resource)))]
    const isDirect = ({ resource, member }: Grant): boolean =>
      !resource.startsWith('serviceAccounts/') && readPoolMember(member) !== undefined
    const direct = grants.filter(isDirect)
    /** What was not seen decides whether these are grants to it. */
    const maybe = openGrants.filter(({ member }) => isOfGke(member))
    /** With the annotation, roles of the direct principal help only if the account has them, too. */
    const isLeftOver = ({ resource }: Grant): boolean =>
      !world.policies
        .flatMap(grantsOf)
        .some((one) => one.resource === resource && one.member === `serviceAccount:${annotation}`)
    const path = `metadata.annotations["${googleAnnotation}"]`
    const evidence = [
      evidenceOf(fact.from, path, annotation ?? null, accounts.length === 1 ? accounts[0] : undefined),
      ...grants.map(({ resource, role, member }) =>
        evidenceOf(have.googleAccount.from, `${resource}: ${role}`, member),
      ),
    ]
    const [only] = accounts
    // A configuration names the account itself, and the metadata server is not asked.
    const isConfigured = pods.length > 0 && pods.every((pod) => mapBehind(pod) !== undefined)
    if (annotation === undefined && isConfigured)
      return { status: 'not-applicable', reason: 'its pods read a credential configuration, which names the account' }
    if (
      account !== undefined &&
      annotation === undefined &&
      only !== undefined &&
      accounts.length === 1 &&
      direct.length === 0 &&
      !maybe.some(isDirect) &&
      !isOpen(podsFact)
    )
      return { status: 'fail', message: 'annotation-missing', data: { ...place, account: only }, evidence }
    if (text !== undefined)
      return {
        status: 'fail',
        message: 'annotation-not-seen',
        data: { ...place, account: annotation ?? only ?? '' },
        evidence: [...evidence, ofHeard(text)],
      }
    if (account === undefined)
      return subject.kind === 'ServiceAccount' && accounts.length > 0
        ? undecidedBy(fact)
        : { status: 'not-applicable', reason: 'no ServiceAccount was seen' }
    if (annotation === undefined) {
      if (isOpen(podsFact)) return undecidedBy(podsFact, evidence)
      if (maybe.length > 0) return undecidedBy(openIn(world), evidence)
      if (grants.length === 0)
        return { status: 'not-applicable', reason: 'there is no annotation, and no grant names the ServiceAccount' }
      return accounts.length > 1 && direct.length === 0
        ? { status: 'undecided', lacks: `which of ${accounts.join(', ')} is meant is not written anywhere`, evidence }
        : { status: 'pass', evidence }
    }
    const left = direct.find(isLeftOver)
    if (left !== undefined)
      return {
        status: 'fail',
        message: 'annotation-left-over',
        data: { ...place, account: annotation, resource: left.resource, role: left.role, principal: left.member },
        evidence,
      }
    if (maybe.some((grant) => isDirect(grant) && isLeftOver(grant))) return undecidedBy(openIn(world), evidence)
    const changed = writtenAt(account, googleAnnotation)
    const now = clock.state === 'known' ? clock.value : undefined
    if (changed !== undefined && now !== undefined && now - Date.parse(changed.time) < hour) {
      const older = pods.find(({ created }) => created !== undefined && Date.parse(created) < Date.parse(changed.time))
      if (older?.created !== undefined)
        return {
          status: 'fail',
          message: 'annotation-newer-than-pod',
          data: { ...place, changed: changed.time, pod: older.name, started: older.created },
          evidence: [
            ...evidence,
            evidenceOf(fact.from, 'metadata.managedFields[].time', changed.time),
            evidenceOf(fact.from, `pod ${older.name}: metadata.creationTimestamp`, older.created),
          ],
        }
    }
    if (changed !== undefined && isOpen(clock)) return undecidedBy(clock, evidence)
    if (changed !== undefined && now !== undefined && now - Date.parse(changed.time) < hour && isOpen(podsFact))
      return undecidedBy(podsFact, evidence)
    if (isOpen(world.collected)) return undecidedBy(world.collected, evidence)
    const policy = googleImpersonation.state === 'known' ? googleImpersonation.value.policy : googleImpersonation
    if (policy.state === 'unknown' && email !== undefined) return undecidedBy(policy, evidence)
    return { status: 'pass', evidence }
  },
})
