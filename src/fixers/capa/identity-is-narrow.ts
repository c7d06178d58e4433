/** Closes an identity that is open to everybody to those who use it, and tests the audience of tokens in an AWSIAMConfiguration. */
import { check } from '../../checks/capa/identity-is-narrow.ts'
import { at, isList, isObject, type Json } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { claimsOf, issuersOf } from '../../domain/capa-bootstrap.ts'
import { editDocument } from '../../domain/document-changes.ts'
import { bootstrap } from '../../probes/capa/bootstrap.ts'
import { identity } from '../../probes/capa/objects.ts'
import { usersOf } from '../../probes/capa/users.ts'
import { changeIdentity, mayChange, placeText } from '../capa-change.ts'

const wants = { identity, usersOf, bootstrap }
type Brief = ProposalBrief<Record<never, never>, typeof wants, unknown>

/** Only where all cluster objects were seen: whoever is left out is locked out. */
function close({ want: { identity, usersOf } }: Brief): Proposal {
  if (identity.state !== 'known' || usersOf.state !== 'known' || !mayChange(identity.value)) return byHand
  const { namespaces, complete } = usersOf.value
  if (!complete || namespaces.length === 0 || namespaces.includes('')) return byHand
  const before = at(identity.value.spec, 'allowedNamespaces')
  const path = ['spec', 'allowedNamespaces']
  const edit = { path, ...(before === undefined ? {} : { before }), after: { list: namespaces } }
  const summary = `Admit ${namespaces.join(', ')} alone in ${placeText(identity.value)}, where its clusters are`
  return [{ summary, safety: 'review', ...changeIdentity(identity, [edit]) }]
}

const statements = ['clusterAPIControllers', 'trustStatements']

function audience({ want: { bootstrap } }: Brief): Proposal {
  if (bootstrap.state !== 'known') return byHand
  const { spec, web, name, file } = bootstrap.value
  const held = at(spec, ...statements)
  const index = isList(held) ? held.findIndex((one) => web.some((each) => each === one && !testsAudience(each))) : -1
  const statement = isList(held) ? held[index] : undefined
  const issuers = isObject(statement) ? [...new Set(issuersOf([statement]))] : []
  const [issuer] = issuers
  // A condition holds for all providers of a statement, and a token has the claims of one.
  if (issuer === undefined || issuers.length > 1) return byHand
  const path = ['spec', ...statements, index, 'Condition', 'StringEquals', `${issuer}:aud`]
  const document = { kind: 'AWSIAMConfiguration', name, ...(file === undefined ? {} : { file }) }
  const summary = `Test ${issuer}:aud for sts.amazonaws.com in AWSIAMConfiguration ${name}, then have clusterawsadm make the stack of its account again`
  return [{ summary, safety: 'review', ...editDocument(document, [{ path, after: 'sts.amazonaws.com' }]) }]
}
const testsAudience = (statement: Json): boolean =>
  isObject(statement) && claimsOf(statement).some(({ claim }) => claim === 'aud')

export const fixer = defineFixer(check, {
  needs: {},
  wants,
  // What a session may do, and keys that are to go, are for their owners.
  proposals: { 'open-to-everyone': close, 'audience-not-tested': audience },
})
