/** Reads a report that exchange-test has written elsewhere: whatever it holds, only what a report may hold is taken from it. */

import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import type { Answer, Lead, Outcome, Proof, ProofReport, Step, StepStatus } from '../core/proof.ts'

export const proofSchema = 'kubectl-wi/exchange-test/v1'

const statuses: readonly StepStatus[] = ['pass', 'fail', 'unknown', 'blocked']
const verdicts: readonly ProofReport['verdict'][] = ['proven', 'refuted', 'inconclusive']

const textsIn = (value: Json | undefined): readonly string[] =>
  Array.isArray(value) ? value.filter((one) => typeof one === 'string') : []

const answerIn = (value: Json | undefined): Answer | undefined => {
  const [code, message] = [textAt(value, 'code'), textAt(value, 'message')]
  if (code === undefined || message === undefined) return undefined
  const status = at(value, 'status')
  const endpoint = textAt(value, 'endpoint')
  return {
    code,
    message,
    ...(typeof status === 'number' ? { status } : {}),
    ...(endpoint === undefined ? {} : { endpoint }),
  }
}

const leadsIn = (value: Json): readonly Lead[] =>
  listAt(value, 'causes').flatMap((one) => {
    const [check, says] = [textAt(one, 'check'), textAt(one, 'says')]
    return check === undefined || says === undefined ? [] : [{ check, says }]
  })

function outcomeIn(value: Json): Outcome | undefined {
  const status = statuses.find((one) => one === textAt(value, 'status'))
  const says = textAt(value, 'says')
  if (status === undefined || says === undefined) return undefined
  const details = listAt(value, 'details').flatMap((pair) => {
    const [name, text] = textsIn(pair)
    return name === undefined || text === undefined ? [] : [[name, text] as const]
  })
  const answer = answerIn(at(value, 'answer'))
  const causes = leadsIn(value)
  const lift = textAt(value, 'lift')
  return {
    status,
    says,
    ...(details.length === 0 ? {} : { details }),
    ...(answer === undefined ? {} : { answer }),
    ...(causes.length === 0 ? {} : { causes }),
    ...(lift === undefined ? {} : { lift }),
  }
}

function stepIn(value: Json): readonly Step[] {
  const outcome = outcomeIn(value)
  const [id, title] = [textAt(value, 'id'), textAt(value, 'title')]
  const milliseconds = at(value, 'milliseconds')
  if (outcome === undefined || id === undefined || title === undefined || typeof milliseconds !== 'number') return []
  return [{ id, title, milliseconds, ...outcome }]
}

function proofIn(value: Json): readonly Proof[] {
  const [cloud, mechanism, expected] = [textAt(value, 'cloud'), textAt(value, 'mechanism'), textAt(value, 'expected')]
  if (cloud === undefined || mechanism === undefined) return []
  const steps = listAt(value, 'steps').flatMap(stepIn)
  return [{ cloud, mechanism, steps, ...(expected === undefined ? {} : { expected }) }]
}

/** The report in what a container has written, whatever its runtime wrote around it; undefined where there is none. */
export function toldProof(log: string): ProofReport | undefined {
  const [from, to] = [log.indexOf('{'), log.lastIndexOf('}')]
  let value: Json
  try {
    value = JSON.parse(log.slice(from, to + 1))
  } catch {
    return undefined
  }
  const verdict = verdicts.find((one) => one === textAt(value, 'verdict'))
  if (!isObject(value) || textAt(value, 'schema') !== proofSchema || verdict === undefined) return undefined
  const lookedFor = listAt(value, 'lookedFor').flatMap((pair) => {
    const where = Array.isArray(pair) ? pair[0] : undefined
    return typeof where === 'string' && Array.isArray(pair) ? [[where, textsIn(pair[1])] as const] : []
  })
  return {
    subject: textAt(value, 'subject') ?? 'this pod',
    proofs: listAt(value, 'proofs').flatMap(proofIn),
    lookedFor,
    verdict,
  }
}
