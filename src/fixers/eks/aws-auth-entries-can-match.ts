/** Rewrites the entries of aws-auth that can match no caller, where what was meant is certain; every other byte stays. */
import { check } from '../../checks/eks/aws-auth-entries-can-match.ts'
import { type JsonObject, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import {
  type AuthEntry,
  arnKeys,
  awsAuthFaults,
  entriesOf,
  type Fault,
  type MapName,
  mapNames,
  placeOf,
} from '../../domain/aws-auth.ts'
import { withoutEntry, withValue } from '../../domain/aws-auth-edits.ts'
import { patchObject } from '../../domain/kubernetes-changes.ts'
import { awsAuth } from '../../probes/eks/aws-auth.ts'
import { awsAuthTexts, ownPrincipal } from '../../probes/eks/aws-auth-texts.ts'

const needs = { awsAuth, awsAuthTexts }
const wants = { ownPrincipal }
type Brief = ProposalBrief<typeof needs, typeof wants, unknown>
/** One text after another is edited, so that all faults of a kind go at once. */
type Step = {
  readonly section: MapName
  readonly index: number
  readonly arn: string
  readonly edit: (text: string) => string | undefined
}

const isMapName = (name: string | undefined): name is MapName => mapNames.some((one) => one === name)

function rewrite({ have, want }: Brief, steps: readonly (Step | undefined)[], summary: string): Proposal {
  if (have.awsAuthTexts.state === 'absent' || steps.length === 0) return byHand
  const { value: before } = have.awsAuthTexts
  const own = want.ownPrincipal.state === 'known' ? want.ownPrincipal.value : undefined
  let after: JsonObject = before
  for (const step of steps) {
    const text = step === undefined ? undefined : textAt(after, step.section)
    // Whoever applies this may be locking themselves out, or letting themselves in.
    if (step === undefined || text === undefined) return byHand
    if (
      own !== undefined &&
      step.arn.split(':')[4] === own.account &&
      step.arn.split('/').at(-1)?.toLowerCase() === own.name.toLowerCase()
    )
      return byHand
    const next = step.edit(text)
    if (next === undefined) return byHand
    after = { ...after, [step.section]: next }
  }
  const [first, ...rest] = mapNames.flatMap((name) => {
    const [from, to] = [textAt(before, name), textAt(after, name)]
    return from === to || from === undefined || to === undefined
      ? []
      : [{ path: ['data', name], before: from, after: to }]
  })
  if (first === undefined) return byHand
  const place = { resource: 'configmaps', namespace: 'kube-system', name: 'aws-auth' }
  return [{ summary, safety: 'review', ...patchObject(place, [first, ...rest]) }]
}

const faultsOf = <M extends Fault['message']>({ have: { awsAuth } }: Brief, message: M) =>
  (awsAuth.state === 'absent' ? [] : awsAuthFaults(awsAuth.value)).filter(
    (one): one is Extract<Fault, { readonly message: Fault['message'] }> & { readonly message: M } =>
      one.message === message,
  )

/** The role is the same: no two of an account have the same name, whatever their paths. */
function withoutPaths(brief: Brief): Proposal {
  const faults = faultsOf(brief, 'role-path').map(({ data }) => data)
  const steps = faults.map(({ section, index, written, canonical }): Step | undefined =>
    isMapName(section)
      ? { section, index, arn: canonical, edit: (text) => withValue(text, index, arnKeys[section], written, canonical) }
      : undefined,
  )
  const places = faults.map(({ section, index }) => `${section}[${index}]`).join(', ')
  return rewrite(brief, steps, `Write the role without its path in ${places} of aws-auth`)
}

/** The last entry counts already, so nobody gains or loses anything. */
function withoutFormer(brief: Brief): Proposal {
  const { awsAuth } = brief.have
  if (awsAuth.state === 'absent') return byHand
  const twice = new Set(faultsOf(brief, 'mapped-twice').map(({ data }) => data.arn.toLowerCase()))
  const all = [...entriesOf(awsAuth.value, 'mapRoles'), ...entriesOf(awsAuth.value, 'mapUsers')]
  const last = new Map(all.map((entry) => [entry.arn?.toLowerCase(), entry]))
  const former = all.filter(({ arn = '' }) => twice.has(arn.toLowerCase())).filter((one) => !isLast(last, one))
  // From the last to the first, so that the places of the others hold.
  const steps = former
    .toReversed()
    .map(({ section, index, arn = '' }): Step => ({ section, index, arn, edit: (text) => withoutEntry(text, index) }))
  const places = former.map(placeOf).join(', ')
  return rewrite(
    brief,
    steps,
    `Take ${places} out of aws-auth, which a later entry of the same role has put out of force`,
  )
}
const isLast = (last: ReadonlyMap<string | undefined, AuthEntry>, one: AuthEntry): boolean =>
  last.get(one.arn?.toLowerCase()) === one

/** A number or an ARN in brackets was filled in; any other text may still be the example's. */
const filledIn = /<(\d{12}|arn:[\w+=,.@:/-]+)>/g

function withoutBrackets(brief: Brief): Proposal {
  const { awsAuth } = brief.have
  const steps = faultsOf(brief, 'placeholder-left').map(({ data: { section, index } }): Step | undefined => {
    const arn =
      isMapName(section) && awsAuth.state === 'known' ? entriesOf(awsAuth.value, section)[index]?.arn : undefined
    const plain = arn?.replaceAll(filledIn, '$1')
    return isMapName(section) && arn !== undefined && plain !== undefined && plain !== arn
      ? { section, index, arn: plain, edit: (text) => withValue(text, index, arnKeys[section], arn, plain) }
      : undefined
  })
  const places = steps.flatMap((one) => (one === undefined ? [] : [`${one.section}[${one.index}]`])).join(', ')
  return rewrite(brief, steps, `Take the brackets out of the ARN in ${places} of aws-auth`)
}

export const fixer = defineFixer(check, {
  needs,
  wants,
  // A session in the place of a role, a wildcard, an empty name: whoever is let in by that is for a person to say.
  proposals: { 'role-path': withoutPaths, 'placeholder-left': withoutBrackets, 'mapped-twice': withoutFormer },
})
