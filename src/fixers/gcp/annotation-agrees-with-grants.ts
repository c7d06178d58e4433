/** Names on the ServiceAccount the one account that admits it, or takes the name away where the roles went to the direct principal. */
import { check } from '../../checks/gcp/annotation-agrees-with-grants.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { word } from '../../domain/gcp-words.ts'
import { annotate } from '../../domain/kubernetes-changes.ts'
import { clock } from '../../probes/cluster/clock.ts'
import { googleAccount } from '../../probes/gcp/account.ts'

const needs = { googleAccount }
const wants = { clock }
type Brief = ProposalBrief<typeof needs, typeof wants, MessageData>

function named({ have: { googleAccount }, want }: Brief, after: string | undefined): Proposal {
  const account = googleAccount.state === 'absent' ? undefined : googleAccount.value.account
  if (account === undefined || googleAccount.state === 'absent') return byHand
  const { annotation } = googleAccount.value
  const { namespace, name } = account
  const place = { resource: 'serviceaccounts', namespace, name }
  const time = want.clock.state === 'known' ? new Date(want.clock.value).toISOString() : undefined
  const summary =
    after === undefined
      ? `Take annotation ${googleAnnotation} off ServiceAccount ${name} in namespace ${namespace}`
      : `Name account ${after} on ServiceAccount ${name} in namespace ${namespace}`
  return [{ summary, safety: 'review', ...annotate(place, googleAnnotation, annotation, after, time) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'annotation-missing': (brief: Brief) => named(brief, word(brief.data, 'account')),
    'annotation-left-over': (brief: Brief) => named(brief, undefined),
  },
})
