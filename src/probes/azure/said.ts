/** Which of the errors that were seen says by itself what a message says, by the table of known texts. */
import type { CheckId } from '../../core/check.ts'
import { errorTexts } from '../../knowledge/error-texts.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { speaking } from './evidence.ts'

const plain = (part: string): string => part.replace(/[.*+?^${}()|[\]\\]/g, '\\$&')
const expressionOf = (fragment: string): string =>
  fragment.length > 2 && fragment.startsWith('/') && fragment.endsWith('/')
    ? fragment.slice(1, -1)
    : fragment.split('…').map(plain).join('.{0,400}?')

const shapes = new Map<string, RegExp>()

/** All texts of the table that lead to the check with this message, whatever longer one may stand in the same line. */
function shapeOf(check: CheckId, message: string): RegExp {
  const key = `${check} ${message}`
  const made = shapes.get(key)
  if (made !== undefined) return made
  const fitting = errorTexts.filter(({ leads }) =>
    leads.some((lead) => lead.check === check && lead.message === message),
  )
  const shape = new RegExp(fitting.map(({ fragment }) => `(?:${expressionOf(fragment)})`).join('|') || '(?!)')
  shapes.set(key, shape)
  return shape
}

/** The first error that proves the message of a check. */
export const saying = (errors: readonly ObservedError[], check: CheckId, message: string): ObservedError | undefined =>
  speaking(errors, shapeOf(check, message))
