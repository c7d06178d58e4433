/** Kleene's three-valued logic. */

import type { Truth } from './aws-trust-types.ts'

export function not(truth: Truth): Truth {
  return truth === 'depends' ? truth : !truth
}

/** False if one part is false, else depends if one part depends; no parts are true. */
export function every(parts: Iterable<Truth>): Truth {
  let result: Truth = true
  for (const part of parts) {
    if (part === false) return false
    if (part === 'depends') result = part
  }
  return result
}

/** True if one part is true, else depends if one part depends; no parts are false. */
export function some(parts: Iterable<Truth>): Truth {
  let result: Truth = false
  for (const part of parts) {
    if (part === true) return true
    if (part === 'depends') result = part
  }
  return result
}

/** The truth under several hypotheses of which one holds: theirs if they agree, else depends. */
export function agreed(hypotheses: readonly Truth[]): Truth {
  const [first, ...rest] = hypotheses
  return first !== undefined && rest.every((truth) => truth === first) ? first : 'depends'
}
