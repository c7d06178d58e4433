/** The identity providers that a trust policy names. */
import { isObject, type Json, listAt, textsAt } from '../core/json.ts'
import { hasMoreClaims } from './aws-trust-request.ts'

/** Every value of Principal.Federated in Allow statements, each once, as written. */
export function federatedIn(policy: Json): readonly string[] {
  const found = isObject(policy) ? policy.Statement : undefined
  const statements = isObject(found) ? [found] : listAt(policy, 'Statement')
  return [
    ...new Set(
      statements.flatMap((one) =>
        isObject(one) && one.Effect === 'Allow' ? textsAt(one, 'Principal', 'Federated') : [],
      ),
    ),
  ]
}

/** Issuers of build services, which a role may trust beside, or instead of, a cluster. */
export const isCommonIssuer = (hostPath: string): boolean => hasMoreClaims(hostPath)
