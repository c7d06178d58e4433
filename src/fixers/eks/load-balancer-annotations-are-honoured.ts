/** Writes deprecated annotations in their present form, on a Service that has no load balancer yet. */
import { check } from '../../checks/eks/load-balancer-annotations-are-honoured.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { prefix } from '../../domain/aws-load-balancer.ts'
import { type Edit, patchObject } from '../../domain/kubernetes-changes.ts'
import { awsService, withoutBalancer } from '../../probes/eks/services.ts'

const needs = { awsService, withoutBalancer }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>

/** What each annotation should be; the empty text: gone. */
function rewrite(
  { have: { awsService, withoutBalancer } }: Brief,
  wanted: { readonly [suffix: string]: string },
): Proposal {
  if (awsService.state === 'absent' || withoutBalancer.state === 'absent' || !withoutBalancer.value) return byHand
  const { annotations, namespace, name } = awsService.value
  const edits = Object.entries(wanted).flatMap(([suffix, after]): Edit[] => {
    const key = `${prefix}${suffix}`
    const before = annotations[key]
    if ((before ?? '') === after) return []
    return [
      {
        path: ['metadata', 'annotations', key],
        ...(before === undefined ? {} : { before }),
        ...(after === '' ? {} : { after }),
      },
    ]
  })
  const [first, ...rest] = edits
  if (first === undefined) return byHand
  const words = Object.entries(wanted).flatMap(([suffix, after]) => (after === '' ? [] : [`${suffix} ${after}`]))
  const summary = `Ask for ${words.join(' and ')} by the present annotations of Service ${namespace}/${name}`
  return [{ summary, safety: 'review', ...patchObject({ resource: 'services', namespace, name }, [first, ...rest]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'deprecated-nlb-ip': (brief) => rewrite(brief, { type: 'external', 'nlb-target-type': 'ip' }),
    'deprecated-internal': (brief) => {
      const service = brief.have.awsService
      const said = service.state === 'known' ? service.value.annotations[`${prefix}internal`] : undefined
      const scheme = service.state === 'known' ? service.value.annotations[`${prefix}scheme`] : undefined
      // What was not plainly meant to be internal, or says two things, is not decided here.
      return said?.trim() !== 'true' || (scheme !== undefined && scheme !== 'internal')
        ? byHand
        : rewrite(brief, { scheme: 'internal', internal: '' })
    },
  },
})
