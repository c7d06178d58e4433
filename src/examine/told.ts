/** What became of an attempt, as the outcome of a step: done, refused in the other side's own words, or not seen. */
import type { Outcome } from '../core/proof.ts'
import type { Attempt } from '../sources/live/pod-aws.ts'
import { refused, unseen } from './proving.ts'

/** `says`: of what was told, if it was done; `refusal`: who refuses what, before the other side's own words. */
export function told(
  got: Attempt,
  says: (told: { readonly [name: string]: string }) => string,
  refusal: string,
): Outcome {
  if (got.state === 'refused') return refused(refusal, got.answer)
  if (got.state === 'done') {
    const { endpoint } = got.told
    return { status: 'pass', says: says(got.told), ...(endpoint ? { details: [['endpoint', endpoint]] } : {}) }
  }
  return unseen(got)
}
