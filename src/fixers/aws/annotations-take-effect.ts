/** Writes what was evidently meant into an optional annotation that the webhook cannot read. */
import { check } from '../../checks/aws/annotations-take-effect.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { annotate } from '../../domain/kubernetes-changes.ts'
import {
  leastExpiration,
  meantExpiration,
  meantRegional,
  regionalEndpoints,
  tokenExpiration,
} from '../../domain/webhook-annotations.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

const needs = { serviceAccount }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { readonly on: string }>

/** What stands in a pod template is written by whatever made the template. */
const write =
  (key: string, meant: (value: string) => string) =>
  ({ have: { serviceAccount }, data }: Brief): Proposal => {
    if (serviceAccount.state === 'absent' || data.on.startsWith('pod/')) return byHand
    const { namespace, name, annotations } = serviceAccount.value
    const before = annotations[key]
    if (before === undefined) return byHand
    const after = meant(before)
    return [
      {
        summary: `Write ${key}: "${after}" on ServiceAccount ${name} in namespace ${namespace}, for pods that are made from now on`,
        safety: 'safe',
        ...annotate({ resource: 'serviceaccounts', namespace, name }, key, before, after),
      },
    ]
  }

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'regional-sts-ignored': write(regionalEndpoints, meantRegional),
    'token-expiration-ignored': write(tokenExpiration, (value) => String(meantExpiration(value))),
    'token-expiration-raised': write(tokenExpiration, () => String(leastExpiration)),
  },
})
