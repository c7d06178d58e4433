/** Puts a projected token in the place of one from a Secret, or restarts the workload that holds on to an older copy than its file. */
import { check } from '../../checks/gcp/token-is-current.ts'
import { listAt, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Effect, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { audienceOfConfiguration, tokenFileOf } from '../../domain/gcp-credentials.ts'
import { type Edit, restartWorkload } from '../../domain/kubernetes-changes.ts'
import { seen } from '../../domain/questions.ts'
import { tokenVolume, withVolume } from '../../domain/template-additions.ts'
import { changeTemplate, containersIn, named, type Template, volumeIn } from '../../domain/template-changes.ts'
import { googleFederation } from '../../probes/gcp/federation.ts'
import { googleTokens, type TimedToken } from '../../probes/gcp/tokens.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template, googleTokens }
const wants = { googleFederation }
type Brief = ProposalBrief<typeof needs, typeof wants, unknown>

const volume = 'google-token'

/** Mounts that have the file in a Secret, moved to the volume of the projected token. */
const mountsOf = (held: Template, directory: string): readonly Edit[] =>
  containersIn(held).flatMap(({ path, json }) =>
    listAt(json, 'volumeMounts').flatMap((mount, index): Edit[] => {
      const name = textAt(mount, 'name') ?? ''
      const isHere = textAt(mount, 'mountPath')?.replace(/\/+$/, '') === directory
      const isSecret = textAt(volumeIn(held, name)?.json, 'secret', 'secretName') !== undefined
      return isHere && isSecret ? [{ path: [...path, 'volumeMounts', index, 'name'], before: name, after: volume }] : []
    }),
  )

/** What was collected of the Secret's token goes with the pod that had it; from the last one on, so that places stay. */
const goesToo = (tokens: readonly TimedToken[]): readonly Effect[] =>
  tokens
    .flatMap(({ legacy, index }) => (legacy && index !== undefined ? [index] : []))
    .sort((a, b) => b - a)
    .map((index) => ({ question: seen.tokens(), path: ['tokens', index] }))

function project({ have: { template, googleTokens }, want: { googleFederation } }: Brief): Proposal {
  const configuration = googleFederation.state === 'known' ? googleFederation.value.configuration : undefined
  const file = configuration === undefined ? undefined : tokenFileOf(configuration)
  if (template.state === 'absent' || configuration === undefined || file === undefined) return byHand
  const cut = file.lastIndexOf('/')
  const audience = audienceOfConfiguration(configuration).replace(/^\/\//, 'https://')
  const added = withVolume(template.value, tokenVolume(volume, audience, file.slice(cut + 1)))
  const mounts = mountsOf(template.value, file.slice(0, cut))
  // A file that is mounted in another way may have others beside it, which would go.
  if (added === undefined || mounts.length === 0) return byHand
  const summary = `Project a token for ${audience} into ${named(template.value)}, in the place of the Secret`
  const changed = changeTemplate(template.value, [added, ...mounts])
  const [own, ...others] = changed.effects
  const gone = googleTokens.state === 'absent' ? [] : goesToo(googleTokens.value.tokens)
  return [{ summary, safety: 'review', ...changed, effects: [own, ...others, ...gone] }]
}

function restart({ have: { template, googleTokens } }: Brief): Proposal {
  if (template.state === 'absent' || googleTokens.state === 'absent') return byHand
  const { tokens, clock } = googleTokens.value
  const now = clock.state === 'known' ? clock.value / 1000 : undefined
  // Where the file itself is old, the same would be read again.
  if (now === undefined || !tokens.some(({ expires }) => expires !== undefined && expires > now)) return byHand
  const { place, pod } = template.value
  const summary = `Restart ${named(template.value)}, so that it reads the token that its file has now`
  return [{ summary, safety: 'review', ...restartWorkload(place, [pod]) }]
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: { 'secret-token': project, stale: restart },
})
