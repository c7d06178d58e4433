/** The index of error texts: what stands in a log, what it means, and which check decides it. */
import { errorTexts } from '../src/knowledge/error-texts.ts'
import { code, prose } from './markdown.ts'

/** In the order of what one would look for: letters and digits, whatever stands around them. */
const key = (fragment: string): string =>
  fragment
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/gu, ' ')
    .trim()

const compare = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

export function errorIndex(): string {
  const sorted = [...errorTexts].sort(
    (a, b) => compare(key(a.fragment), key(b.fragment)) || compare(a.fragment, b.fragment),
  )
  const entries = sorted.flatMap(({ fragment, means, leads }) => [
    `### ${code(fragment)}`,
    '',
    prose(means),
    '',
    ...leads.map(
      ({ check, when }) => `- [${code(check)}](checks/${check}.md)${when === undefined ? '' : `: ${prose(when)}`}`,
    ),
    '',
  ])
  return [
    '# Error texts',
    '',
    'What error texts mean, and the checks that decide between their causes, most likely first. `kubectl wi explain` takes a whole line of a log, or',
    'a log on stdin, and finds what is in it. `…` is any text; between slashes stands a regular expression.',
    '',
    ...entries,
  ].join('\n')
}
