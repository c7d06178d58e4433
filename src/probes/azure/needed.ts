/** The three values of a token, and whose credentials they are compared with, as findings and what they advise name them. */
import type { Evidence } from '../../core/check.ts'
import type { Question } from '../../core/fact.ts'
import { azureAudience } from '../../domain/audiences.ts'
import { unseen } from '../../domain/azure-advice.ts'
import { shortName } from '../../domain/azure-credentials.ts'
import type { Needed } from '../../domain/azure-match-advice.ts'
import type { Assertion } from './assertion.ts'
import type { Credentials } from './credentials.ts'
import type { Match } from './match.ts'

/** Placeholders in the place of what was not seen. */
export function neededOf(
  assertion: Assertion | undefined,
  credentials: Credentials | undefined,
  name = 'CREDENTIAL',
): Needed {
  const { managed, identity, assumed, own } = credentials ?? {}
  const isApplication =
    managed === undefined && own !== undefined && own.some((one) => /^[0-9a-f-]{36}$/i.test(one.identity ?? ''))
  return {
    name,
    identity:
      managed?.name ??
      (isApplication || (identity !== undefined && assumed !== true) ? (identity ?? unseen.identity) : unseen.identity),
    group: isApplication ? '' : (managed?.group ?? unseen.group),
    issuer: assertion?.issuer?.value ?? 'ISSUER',
    subject: assertion?.subject?.value ?? 'SUBJECT',
    audience: assertion?.audience?.value ?? azureAudience,
  }
}

/**
 * That credentials which name their identity were taken for those of the one that the workload asks for, without anything that shows that they
 * are: what matches among them is no proof. Undefined where it was seen, or the list names nobody.
 */
export const ownerUnseen = ({ assumed, owner, identity }: Credentials) =>
  assumed && owner !== ''
    ? ({
        status: 'undecided',
        lacks: `a credential of ${identity} matches; whether that is the identity that the workload asks for was not seen`,
        lift: 'az identity list > identities.json',
      } as const)
    : undefined

/** Of a matching credential on another identity: what a message says of it, and where it was seen, before what was said besides; undefined where there is none. */
export function onOther({ assertion, credentials, elsewhere }: Match, from: Question, told: readonly Evidence[]) {
  if (elsewhere === undefined) return undefined
  const { name, identity } = elsewhere
  const expected = credentials.identity
  const evidence: Evidence = {
    question: from,
    path: `credentials["${name}"].identity`,
    observed: identity ?? null,
    expected,
  }
  return {
    data: { ...neededOf(assertion, credentials, name), observed: shortName(identity ?? 'another'), expected },
    evidence: [evidence, ...told],
  }
}
