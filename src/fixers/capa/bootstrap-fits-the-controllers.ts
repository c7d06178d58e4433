/** Has the AWSIAMConfiguration trust the controllers where they run; the stack is made again by the owner of its account. */
import { check } from '../../checks/capa/bootstrap-fits-the-controllers.ts'
import { at } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { differences, editDocument, reworded } from '../../domain/document-changes.ts'
import { bootstrap, bootstrapAccounts, bootstrapDeployments } from '../../probes/capa/bootstrap.ts'

const needs = { bootstrap }
const wants = { bootstrapAccounts, bootstrapDeployments }
type Brief<D> = ProposalBrief<typeof needs, typeof wants, D>

const place = ['clusterAPIControllers', 'trustStatements']

/** Wherever the one stands in the statements, and nowhere else: a longer name that begins alike is another one. */
function replaced({ have: { bootstrap } }: Brief<unknown>, from: string, to: string): Proposal {
  if (bootstrap.state === 'absent') return byHand
  const { spec, name, file } = bootstrap.value
  const before = at(spec, ...place)
  if (before === undefined || beginsLonger(JSON.stringify(spec), from)) return byHand
  const [first, ...rest] = differences(before, reworded(before, from, to), ['spec', ...place])
  if (first === undefined) return byHand
  const document = { kind: 'AWSIAMConfiguration', name, ...(file === undefined ? {} : { file }) }
  const summary = `Trust ${to} in the place of ${from} in AWSIAMConfiguration ${name}, then have clusterawsadm make the stack of its account again`
  return [{ summary, safety: 'review', ...editDocument(document, [first, ...rest], [{ from, to }]) }]
}

const beginsLonger = (text: string, from: string): boolean =>
  text
    .split(from)
    .slice(1)
    .some((rest) => /^[\w.-]/.test(rest))

function subject(brief: Brief<{ readonly trusted: string; readonly actual: string }>): Proposal {
  const { bootstrapAccounts, bootstrapDeployments } = brief.want
  const several = [bootstrapDeployments, bootstrapAccounts].some(
    (fact) => fact.state === 'known' && fact.value.items.length > 1,
  )
  // Of two installations nobody knows which one the document is for.
  return several ? byHand : replaced(brief, brief.data.trusted, brief.data.actual)
}

const issuer = (brief: Brief<{ readonly trusted: string; readonly issuer: string }>): Proposal =>
  brief.data.trusted.includes(', ') ? byHand : replaced(brief, brief.data.trusted, brief.data.issuer)

export const fixer = defineFixer(check, {
  needs,
  wants,
  // What a placeholder stood for, and whether a role is to make roles, is for a person to say.
  proposals: { 'namespace-differs': subject, 'service-account-differs': subject, 'issuer-differs': issuer },
})
