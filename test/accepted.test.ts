/** Faults that somebody lives with: annotations with an end, and the report of a former run as a baseline. */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { accepting } from '../src/core/accepted.ts'
import type { Accepted } from '../src/core/finding.ts'
import { exitCodeOf, type Report } from '../src/core/report.ts'
import { isOver, readIgnore } from '../src/domain/ignore-annotation.ts'
import { acceptAnnotated, baselineFrom } from '../src/examine/accept.ts'
import { type Format, renderers } from '../src/report/index.ts'
import { reportData } from '../src/report/ordered.ts'
import { from } from './documents.ts'
import { manyPods, oneCause } from './report/samples.ts'
import { demo, run, sentence } from './running.ts'

const fault = 'aws/trust-policy-admits-service-account'
const lived: Accepted = { by: 'annotation', reason: 'moving', until: '2027-01-01' }
const statusOf = ({ findings }: Report, check: string) => findings.find((line) => line.check === check)

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-accepted-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

describe('the annotation', () => {
  it('names a check, a reason and an end; several stand side by side', () => {
    const { ignored, problems } = readIgnore(
      `${fault}=moving, slowly = soon until 2027-01-01; aws/role-exists=x until 2026-12-31\n`,
    )
    expect(problems).toEqual([])
    expect(ignored).toEqual([
      { check: fault, reason: 'moving, slowly = soon', until: '2027-01-01' },
      { check: 'aws/role-exists', reason: 'x', until: '2026-12-31' },
    ])
  })

  for (const text of [
    fault,
    `${fault}=moving`,
    `${fault}=moving until soon`,
    `${fault}=moving until 2027-02-30`,
    `${fault}= until 2027-01-01`,
  ])
    it(`is no annotation without an end and a reason: ${text}`, () => {
      expect(readIgnore(text).ignored).toEqual([])
      expect(readIgnore(text).problems).toHaveLength(1)
    })

  it('counts through the whole of its last day', () => {
    expect(isOver('2027-01-01', '2027-01-01T23:59:59Z')).toBe(false)
    expect(isOver('2027-01-01', '2027-01-02T00:00:00Z')).toBe(true)
  })
})

const world = (annotation: string, time: string) =>
  from({
    'sa.json': {
      apiVersion: 'v1',
      kind: 'ServiceAccount',
      metadata: { namespace: 'shop', name: 'cart', annotations: { 'kubectl-wi/ignore': annotation } },
    },
    'bundle.json': { apiVersion: 'kubectl-wi/v1alpha1', kind: 'Bundle', time },
  }).source

describe('what is accepted', () => {
  it('leaves the verdict, and takes along what waits for nothing else', async () => {
    const report = oneCause()
    expect(report.verdict).toBe('unhealthy')
    const accepted = await acceptAnnotated(report, world(`${fault}=moving until 2027-01-01`, '2026-06-01T00:00:00Z'))
    expect(statusOf(accepted, fault)?.accepted).toEqual(lived)
    expect(statusOf(accepted, fault)?.status).toBe('fail')
    for (const line of accepted.findings.filter(({ status }) => status === 'blocked'))
      expect(line.accepted).toEqual(lived)
    expect(accepted.verdict).not.toBe('unhealthy')
    expect(accepted.totals).toEqual(report.totals)
    const all = accepting(report, () => lived)
    expect(exitCodeOf(report, 'warning')).toBe(1)
    expect(exitCodeOf(all, 'warning')).toBe(0)
  })

  it('comes back when its time is over, and the report says so', async () => {
    const report = await acceptAnnotated(oneCause(), world(`${fault}=moving until 2027-01-01`, '2027-01-02T00:00:00Z'))
    expect(report.verdict).toBe('unhealthy')
    expect(report.notes.join('\n')).toContain(`${fault} was accepted until 2027-01-01, which is over`)
  })

  it('is nothing without an end, and the report says how to write one', async () => {
    const report = await acceptAnnotated(oneCause(), world(`${fault}=moving`, '2026-06-01T00:00:00Z'))
    expect(report.verdict).toBe('unhealthy')
    expect(report.notes.join('\n')).toContain('until YYYY-MM-DD')
  })

  it('is never what was not seen, what is a bug, or what another fault holds up too', () => {
    const report = oneCause()
    const [cause] = report.findings.filter(({ check }) => check === fault)
    const blocked = report.findings.find(({ status }) => status === 'blocked')
    if (cause === undefined || blocked === undefined) throw new Error('the sample has changed')
    const other = { ...cause, check: 'aws/role-exists' as const }
    const twice: Report = {
      ...report,
      findings: [
        cause,
        other,
        { ...blocked, blockedBy: [fault, 'aws/role-exists'] },
        { ...cause, status: 'unknown' },
        { ...cause, status: 'crashed' },
      ],
    }
    const { findings, verdict } = accepting(twice, ({ check }) => (check === fault ? lived : undefined))
    expect(findings.map(({ accepted }) => accepted !== undefined)).toEqual([true, false, false, false, false])
    expect(verdict).toBe('unhealthy')
  })

  it('stands in every format', async () => {
    const report = accepting(oneCause(), ({ check }) => (check === fault ? lived : undefined))
    for (const format of ['table', 'sarif', 'junit', 'markdown', 'openreports', 'html', 'json'] satisfies Format[])
      expect((await renderers[format]())(report, { color: false, width: 200, verbose: false }), format).toContain(
        'moving',
      )
    const table = (await renderers.table())(report, { color: false, width: 120, verbose: false })
    expect(table).toContain('\nAccepted\n')
    expect(table).toContain('1 accepted')
    expect(table).not.toContain('✗')
    expect((await renderers.github())(report, { color: false, width: 80, verbose: false })).not.toContain('::error')
    expect(
      JSON.parse((await renderers.sarif())(report, { color: false, width: 80, verbose: false })).runs[0].results[0]
        .suppressions,
    ).toHaveLength(1)
  })
})

describe('--baseline', () => {
  const written = (name: string, report: Report): string => {
    const file = path.join(folder, name)
    writeFileSync(file, JSON.stringify(reportData(report)))
    return file
  }

  it('accepts what stood there, in the same words, and says what is gone', async () => {
    const compared = await baselineFrom(written('one.json', oneCause()))
    expect(statusOf(compared(oneCause()), fault)?.accepted?.by).toBe('baseline')
    const worse = manyPods()
    expect(compared(worse).verdict).toBe(worse.verdict)
    expect(compared(worse).notes.join('\n')).toMatch(/were not found any more/u)
  })

  it('takes another message of the same check as new', async () => {
    const compared = await baselineFrom(written('two.json', oneCause()))
    const report = oneCause()
    const changed = {
      ...report,
      findings: report.findings.map((line) => (line.check === fault ? { ...line, messageId: 'another' } : line)),
    }
    expect(compared(changed).verdict).toBe('unhealthy')
  })

  it('works from one run to the next, and ends with a sentence where it is no report', () => {
    const first = run(['doctor', '-f', demo('broken'), '-o', 'json'])
    const file = path.join(folder, 'first.json')
    writeFileSync(file, first.stdout)
    const second = run(['doctor', '-f', demo('broken'), '--baseline', file])
    expect(first.status).toBe(1)
    expect(second.status).toBe(3)
    expect(second.stdout).toContain('it stands in')
    writeFileSync(file, '{}')
    const third = run(['doctor', '-f', demo('broken'), '--baseline', file])
    expect(third.status).toBe(2)
    expect(third.stderr).toContain('is no report')
    sentence(third.stderr)
  })
})
