/** Lets the webhook set a token variable and its mount together, corrects a path, or gives the file to the group of the pod. */
import { check } from '../../checks/workload/token-file-is-readable.ts'
import { at } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { changeTemplate, containerIn, named, variableIn, withoutVariables } from '../../domain/template-changes.ts'
import { association } from '../../probes/aws/association.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
const wants = { serviceAccount, association }
type Read = { readonly container: string; readonly path: string; readonly variable: string }
type Brief<D = unknown> = ProposalBrief<typeof needs, typeof wants, Read & D>

/** Variables that mean something only together. */
const sets: readonly (readonly string[])[] = [
  ['AWS_ROLE_ARN', 'AWS_WEB_IDENTITY_TOKEN_FILE'],
  ['AWS_CONTAINER_CREDENTIALS_FULL_URI', 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE'],
]

/** Whether the webhook would set the variables by itself: without it the pod would be left with nothing. */
function isAsked({ want: { serviceAccount, association } }: Brief, variable: string): boolean {
  const annotated = serviceAccount.state === 'known' && Boolean(serviceAccount.value.annotations[roleAnnotation])
  if (variable === 'AWS_WEB_IDENTITY_TOKEN_FILE') return annotated
  return variable === 'AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE' && association.state === 'known'
}

function letWebhook(brief: Brief): Proposal {
  const { template } = brief.have
  const { container, variable } = brief.data
  const held = template.state === 'absent' ? undefined : containerIn(template.value, container)
  const names = sets.find((one) => one.includes(variable))
  const edit = held === undefined || names === undefined ? undefined : withoutVariables(held, names)
  if (template.state === 'absent' || names === undefined || edit === undefined || !isAsked(brief, variable))
    return byHand
  const summary = `Take ${names.join(' and ')} out of container ${container} of ${named(template.value)}, so that the webhook sets them with their mount`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

function correct({ have: { template }, data }: Brief<{ actual: string }>): Proposal {
  const held = template.state === 'absent' ? undefined : containerIn(template.value, data.container)
  const variable = held === undefined ? undefined : variableIn(held, data.variable)
  if (template.state === 'absent' || variable === undefined || variable.value !== data.path) return byHand
  const edit = { path: variable.path, before: data.path, after: data.actual }
  const summary = `Set ${data.variable} of container ${data.container} of ${named(template.value)} to ${data.actual}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

/** As the documentation of the webhook has it: https://github.com/aws/amazon-eks-pod-identity-webhook/issues/8 */
const fsGroup = 65_534

function shareWithGroup({ have: { template } }: Brief): Proposal {
  if (template.state === 'absent') return byHand
  // Another group was somebody's choice, for the files of other volumes.
  if (at(template.value.template, 'spec', 'securityContext', 'fsGroup') !== undefined) return byHand
  const edit = { path: ['spec', 'securityContext', 'fsGroup'], after: fsGroup }
  const summary = `Set fsGroup ${fsGroup} in the pod template of ${named(template.value)}, whom the token is then given to`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'is-the-api-token': letWebhook,
    'not-mounted': letWebhook,
    'path-differs': correct,
    'mode-excludes-user': shareWithGroup,
  },
})
