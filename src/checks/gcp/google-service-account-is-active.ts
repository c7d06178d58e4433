/** The Google service account exists, is enabled and is the one that was granted. */
import { defineCheck } from '../../core/check.ts'
import { grantsOf } from '../../domain/gcp-policies.ts'
import { advise, say } from '../../domain/gcp-words.ts'
import { evidenceOf, isOpen, undecidedBy } from '../../probes/gcp/heard.ts'
import { googleServiceAccount } from '../../probes/gcp/objects.ts'
import { googleWorld } from '../../probes/gcp/world.ts'

export const check = defineCheck({
  meta: {
    id: 'gcp/google-service-account-is-active',
    title: 'The Google service account exists, is enabled and is the one that was granted',
    severity: 'error',
    scope: 'object',
    kinds: ['GoogleServiceAccount'],
    cloud: 'gcp',
    section: 'Binding',
    why: 'An account that is missing, disabled or made anew under its old name gives no tokens, or tokens without the grants of the former one.',
    fix: {
      safety: 'review',
      does: 'Grant the account of today what the deleted one of that name had, where that was meant; never create or enable an account for it.',
    },
    links: [
      'https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity',
      'https://github.com/camunda/camunda/issues/31106',
    ],
  },
  only: { probe: googleServiceAccount, otherwise: 'it is no Google service account' },
  needs: { googleServiceAccount, googleWorld },
  wants: {},
  after: ['gcp/annotation-names-a-service-account'],
  messages: {
    missing: say('there is no Google service account {email}, which {named} names'),
    disabled: say('Google service account {email} is disabled'),
    recreated: say(
      '{resource} still grants {role} to the deleted account {email} (uid {granted}); the account of that name today has uid {actual} and not that role',
    ),
  },
  remedies: {
    missing: advise(
      'Name an account that exists, or have {email} made by whoever owns its project.',
      'gcloud iam service-accounts list --format=value(email)',
    ),
    disabled: advise(
      'Find out who disabled {email} and why, before anybody enables it.',
      'gcloud iam service-accounts describe {email}',
    ),
    recreated: advise(
      'Grant {role} on {resource} to the account of today, if it is meant to have it; the member of the deleted account can be taken out later.',
      'gcloud iam service-accounts describe {email}',
    ),
  },
  judge: ({ have }) => {
    if (have.googleServiceAccount.state === 'absent' || have.googleWorld.state === 'absent')
      return { status: 'not-applicable', reason: 'it is no Google service account' }
    const { email, named, account, former } = have.googleServiceAccount.value
    const { from } = account
    if (account.state === 'absent')
      return {
        status: 'fail',
        message: 'missing',
        data: { email, named },
        evidence: [evidenceOf(from, 'email', null, email)],
      }
    if (account.state === 'unknown') return undecidedBy(account)
    const { uid, disabled } = account.value
    const evidence = [evidenceOf(from, 'disabled', disabled, false), evidenceOf(from, 'uniqueId', uid ?? null)]
    if (disabled) return { status: 'fail', message: 'disabled', data: { email }, evidence }
    const grants = have.googleWorld.value.policies.flatMap(grantsOf)
    const lost = former.find(
      (one) =>
        one.uid !== uid &&
        !grants.some(
          ({ resource, role, member }) =>
            resource === one.resource && role === one.role && member === `serviceAccount:${email}`,
        ),
    )
    if (lost !== undefined)
      return {
        status: 'fail',
        message: 'recreated',
        data: { email, resource: lost.resource, role: lost.role, granted: lost.uid, actual: uid ?? '' },
        evidence: [
          ...evidence,
          evidenceOf(from, `${lost.resource}: ${lost.role}`, lost.member, `serviceAccount:${email}`),
        ],
      }
    const { collected } = have.googleWorld.value
    return isOpen(collected) ? undecidedBy(collected, evidence) : { status: 'pass', evidence }
  },
})
