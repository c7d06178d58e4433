/** Has the token source of the pod template ask for the audience and the lifetime that are taken, or gives a clashing volume another name. */
import { check } from '../../checks/workload/token-volume-asks-for-the-audience.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import type { Edit } from '../../domain/kubernetes-changes.ts'
import { changeTemplate, containersIn, named, tokenIn, volumeIn } from '../../domain/template-changes.ts'
import { allMechanisms, mechanisms } from '../../domain/token-files.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
type Brief<D = unknown> = ProposalBrief<typeof needs, Record<never, never>, { readonly volume: string } & D>

const ofWebhooks: ReadonlySet<string> = new Set(allMechanisms.map((one) => mechanisms[one].volume))

/** One member of the one token that the volume projects; of several it is not known whom the others serve. */
function set({ have: { template }, data }: Brief, member: string, after: string | number, what: string): Proposal {
  const volume = template.state === 'absent' ? undefined : volumeIn(template.value, data.volume)
  const token = volume === undefined ? undefined : tokenIn(volume)
  if (template.state === 'absent' || token === undefined) return byHand
  const before = at(token.json, member)
  const edit: Edit = { path: [...token.path, member], ...(before === undefined ? {} : { before }), after }
  const summary = `Ask for ${what} in volume ${data.volume} of ${named(template.value)}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [edit]) }]
}

const setAudience = (brief: Brief<{ expected: string }>): Proposal =>
  brief.data.expected === '' || /[*?]/.test(brief.data.expected)
    ? byHand
    : set(brief, 'audience', brief.data.expected, `audience ${brief.data.expected}`)

/** A volume of a webhook's own is asked for by annotation. */
const setLifetime = (brief: Brief, seconds: number): Proposal =>
  ofWebhooks.has(brief.data.volume) ? byHand : set(brief, 'expirationSeconds', seconds, `${seconds} s`)

function rename({ have: { template }, data: { volume: name } }: Brief): Proposal {
  const volume = template.state === 'absent' ? undefined : volumeIn(template.value, name)
  const to = `${name}-own`
  if (template.state === 'absent' || volume === undefined || volumeIn(template.value, to) !== undefined) return byHand
  const mounts = containersIn(template.value).flatMap(({ path, json }) =>
    listAt(json, 'volumeMounts').flatMap((mount, index): Edit[] =>
      textAt(mount, 'name') === name
        ? [{ path: [...path, 'volumeMounts', index, 'name'], before: name, after: to }]
        : [],
    ),
  )
  const edits: readonly [Edit, ...Edit[]] = [{ path: [...volume.path, 'name'], before: name, after: to }, ...mounts]
  const summary = `Give volume ${name} of ${named(template.value)} the name ${to}, so that the webhook can add its own`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, edits) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'name-taken': rename,
    'audience-left-out': setAudience,
    'audience-differs': setAudience,
    'lifetime-too-short': (brief) => setLifetime(brief, 3600),
    // An hour is what all clouds take.
    'lifetime-not-accepted': (brief) => setLifetime(brief, 3600),
  },
})
