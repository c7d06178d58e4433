/** Has the virtual kubelet hand out tokens again, where it was told not to; addresses and rights are for whoever runs it. */
import { check } from '../../checks/interlink/service-accounts-are-enabled.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { held } from '../../probes/interlink/held.ts'
import { setMember } from '../interlink-change.ts'

const needs = { held }

const enable = ({ have: { held } }: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal =>
  held.state === 'absent'
    ? byHand
    : setMember(held, {
        member: 'DisableProjectedVolumes',
        value: false,
        summary: 'Set DisableProjectedVolumes to false',
      })

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'projected-volumes-disabled': enable } })
