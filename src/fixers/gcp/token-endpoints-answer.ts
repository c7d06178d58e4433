/** Enables the one API in the one project that the error, or the list of its services, names. */
import { check } from '../../checks/gcp/token-endpoints-answer.ts'
import type { MessageData } from '../../core/check.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { enableService } from '../../domain/gcp-changes.ts'
import { word } from '../../domain/gcp-words.ts'
import { googleEndpoints } from '../../probes/gcp/endpoints.ts'

const needs = { googleEndpoints }
type Brief = ProposalBrief<typeof needs, Record<never, never>, MessageData>

const enable =
  (service: string) =>
  ({ have: { googleEndpoints }, data }: Brief): Proposal => {
    const project = word(data, 'project')
    if (googleEndpoints.state === 'absent' || !/^[a-z0-9][a-z0-9.:-]{3,60}$/.test(project)) return byHand
    const { services } = googleEndpoints.value
    const index =
      services.state === 'known'
        ? services.value.findIndex((one) => one.name === service && one.project === project)
        : -1
    const state = services.state === 'known' ? services.value[index]?.state : undefined
    const summary = `Enable ${service} in project ${project}`
    return [{ summary, safety: 'review', ...enableService(project, service, { index, state }) }]
  }

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'credentials-api-disabled': enable('iamcredentials.googleapis.com'),
    'sts-api-disabled': enable('sts.googleapis.com'),
  },
})
