/** A proof for a person: a line for each step with its time, and below it what the other side said and what may be the reason. */
import type { Proof, ProofReport, Step } from '../core/proof.ts'
import { labelled, margin } from './labelled.ts'
import { markOf, type Paint, paintOf } from './paint.ts'
import { clean, wrap } from './text.ts'

type Sheet = { readonly paint: Paint; readonly width: number }

const narrowest = 60
const widest = 120
const shortest = 10

const clouds: { readonly [cloud: string]: string } = {
  aws: 'AWS',
  gcp: 'Google Cloud',
  azure: 'Azure',
  pod: 'This container',
  kubernetes: 'The cluster',
}
const cloudName = (cloud: string): string => clouds[cloud] ?? cloud

const timeOf = (milliseconds: number): string =>
  milliseconds < 1000 ? `${milliseconds} ms` : `${(milliseconds / 1000).toFixed(1)} s`

const beside = (sheet: Sheet, label: string, text: string, column = shortest): readonly string[] =>
  labelled(sheet, label, text, { column })

function stepLines(sheet: Sheet, step: Step): readonly string[] {
  const { paint, width } = sheet
  const { sign, role, word } = markOf({ status: step.status, severity: 'error' })
  const head = ` ${paint[role](sign)} ${clean(step.title)}`
  const plain = 3 + clean(step.title).length
  const tail =
    step.status === 'pass'
      ? timeOf(step.milliseconds)
      : step.status === 'blocked'
        ? word
        : `${word}, ${timeOf(step.milliseconds)}`
  const gap = Math.max(2, width - plain - tail.length)
  const first = `${head}${' '.repeat(gap)}${paint.quiet(tail)}`
  if (step.status === 'blocked') return [first]
  const { answer } = step
  const column = Math.max(shortest, ...(step.details ?? []).map(([name]) => name.length + 2))
  return [
    first,
    ...wrap(clean(step.says), width - margin).map((line) => `${' '.repeat(margin)}${line}`),
    ...(step.details ?? []).flatMap(([name, value]) => beside(sheet, name, value, column)),
    ...(answer === undefined
      ? []
      : [
          ...beside(sheet, 'code', `${answer.code}${answer.status === undefined ? '' : ` (${answer.status})`}`),
          ...beside(sheet, 'said', answer.message),
          ...(answer.endpoint ? beside(sheet, 'by', answer.endpoint) : []),
        ]),
    ...(step.causes ?? []).flatMap(({ check, says }) => [
      ...(says === step.says ? [] : beside(sheet, 'why', says)),
      ...beside(sheet, 'check', check),
    ]),
    ...(step.fix === undefined ? [] : beside(sheet, 'fix', step.fix)),
    ...(step.lift === undefined ? [] : beside(sheet, 'to see', step.lift)),
  ]
}

const proofLines = (sheet: Sheet, { cloud, mechanism, expected, steps }: Proof): readonly string[] => [
  '',
  sheet.paint.strong(
    clean(
      `${cloudName(cloud)}${mechanism === 'none' ? '' : `: ${mechanism}`}${expected === undefined ? '' : ` → ${expected}`}`,
    ),
  ),
  ...steps.flatMap((step) => stepLines(sheet, step)),
]

type Closing = { readonly [verdict in ProofReport['verdict']]: string }
const closing: Closing = {
  proven: 'proven: the identity was got, and is the one that was meant',
  refuted: 'refuted: the identity cannot be got, or is not the one that is used',
  inconclusive: 'inconclusive: what matters could not be seen',
}

type Look = {
  readonly width: number
  readonly color: boolean
  /** The last line, where it is not about an identity. */
  readonly ends?: Closing
}

/** For a terminal of this width. */
export function proofText(
  { subject, proofs, lookedFor, verdict }: ProofReport,
  { width, color, ends = closing }: Look,
): string {
  const sheet = { paint: paintOf(color), width: Math.min(widest, Math.max(narrowest, width)) }
  const nothing = lookedFor.length > 0
  const looked = nothing
    ? [
        '',
        'Looked for',
        ...lookedFor.flatMap(([where, what]) => [` ${cloudName(where)}`, ...what.map((one) => `     ${clean(one)}`)]),
      ]
    : []
  const besides = verdict === 'refuted' ? ', and something else has failed' : ''
  const last = nothing ? `${verdict}: no workload identity was found in ${clean(subject)}${besides}` : ends[verdict]
  return `${[sheet.paint.strong(clean(subject)), ...proofs.flatMap((one) => proofLines(sheet, one)), ...looked, '', ...wrap(last, sheet.width)].join('\n')}\n`
}
