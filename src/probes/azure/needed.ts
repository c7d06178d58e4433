/** The three values of a token, and whose credentials they are compared with, as findings and what they advise name them. */

import { azureAudience } from '../../domain/audiences.ts'
import { unseen } from '../../domain/azure-advice.ts'
import type { Needed } from '../../domain/azure-match-advice.ts'
import type { Assertion } from './assertion.ts'
import type { Credentials } from './credentials.ts'

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
