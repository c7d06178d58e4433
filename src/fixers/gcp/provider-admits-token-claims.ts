/** Changes a mapping so that it yields a value for this token, and names the members that it changes the meaning of; a condition stays its owner's. */
import { check } from '../../checks/gcp/provider-admits-token-claims.ts'
import { at, type JsonObject, textAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { changeProvider } from '../../domain/gcp-changes.ts'
import { guarded } from '../../domain/gcp-claim-guards.ts'
import { readPoolMember } from '../../domain/gcp-members.ts'
import type { Provider } from '../../domain/gcp-provider.ts'
import { type Federation, googleFederation } from '../../probes/gcp/federation.ts'

const needs = { googleFederation }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>
type Seen = { readonly federation: Federation; readonly provider: Provider; readonly claims: JsonObject }

const mostBytes = 127

/** Members of the pool by subject, which mean another identity once subjects are mapped in another way. */
function bySubject({ federation, provider }: Seen): string {
  const members = federation.google.world.policies
    .flatMap(({ bindings }) => bindings.flatMap((one) => one.members))
    .filter((member) => {
      const one = readPoolMember(member)
      return one?.pool === provider.pool && one.number === provider.number && one.selector.startsWith('subject/')
    })
  const all = [...new Set(members)]
  return all.length === 0
    ? 'no member that was seen names a subject of it'
    : `what these members name changes: ${all.slice(0, 10).join(', ')}`
}

const map =
  (next: (seen: Seen) => { readonly key: string; readonly expression: string } | undefined) =>
  ({ have: { googleFederation } }: Brief): Proposal => {
    const federation = googleFederation.state === 'absent' ? undefined : googleFederation.value
    if (federation?.provider.state !== 'known' || federation.token.state !== 'known') return byHand
    const provider = federation.provider.value
    const seen = { federation, provider, claims: federation.token.value.claims }
    const mapped = next(seen)
    if (mapped === undefined) return byHand
    const { key, expression } = mapped
    const { name, id, pool, mapping } = provider
    const effect = key === 'google.subject' ? `; ${bySubject(seen)}` : ''
    const summary = `Map ${key} of provider ${id} in pool ${pool} by ${expression}${effect}`
    return [
      {
        summary,
        safety: 'review',
        ...changeProvider(name, ['attributeMapping'], { ...mapping }, { ...mapping, [key]: expression }),
      },
    ]
  }

const bytesOf = (text: string): number => new TextEncoder().encode(text).length

/** The whole name of the ServiceAccount, where it fits. */
function whole({ claims }: Seen) {
  const subject = textAt(claims, 'sub') ?? ''
  return subject === '' || bytesOf(subject) > mostBytes
    ? undefined
    : { key: 'google.subject', expression: 'assertion.sub' }
}

function shorter({ claims }: Seen) {
  const own = at(claims, 'kubernetes.io')
  const [namespace, name] = [textAt(own, 'namespace'), textAt(own, 'serviceaccount', 'name')]
  if (namespace === undefined || name === undefined || bytesOf(`${namespace}/${name}`) > mostBytes) return undefined
  return {
    key: 'google.subject',
    expression: "assertion['kubernetes.io']['namespace'] + '/' + assertion['kubernetes.io']['serviceaccount']['name']",
  }
}

/** Only an attribute may do without its claim: a subject made of nothing would be everybody's. */
function guard({ federation, provider }: Seen) {
  if (federation.evaluated.state !== 'known') return undefined
  const { mapped, condition } = federation.evaluated.value
  if (condition?.state === 'missing') return undefined
  const lacking = Object.entries(mapped).filter(([, outcome]) => outcome.state === 'missing')
  const [[key, outcome] = [], ...others] = lacking
  if (key === undefined || outcome?.state !== 'missing' || others.length > 0 || !key.startsWith('attribute.'))
    return undefined
  const expression = guarded(provider.mapping[key] ?? '', outcome.claim)
  return expression === undefined ? undefined : { key, expression }
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    'condition-claim-missing': map(guard),
    'subject-not-mapped': map(whole),
    'subject-too-long': map(shorter),
  },
})
