/** Examining more than once: until it is healthy, and as a loop that prints changes. */
import { spawn } from 'node:child_process'
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Report } from '../src/core/report.ts'
import { pause, untilEnough } from '../src/examine/repeat.ts'
import { changeJson, changeLines, changesBetween } from '../src/report/changes.ts'
import { healthy, hostile, manyPods, oneCause } from './report/samples.ts'
import { demo, entry, root, run, sentence } from './running.ts'

const schema = JSON.parse(readFileSync(path.join(root, 'schemas', 'change-v1.schema.json'), 'utf8'))
const validate = new Ajv2020({ strict: false, formats: { 'date-time': true } }).compile(schema)
const fault = 'aws/trust-policy-admits-service-account'

let folder = ''
beforeAll(() => {
  folder = mkdtempSync(path.join(tmpdir(), 'kubectl-wi-repeat-'))
})
afterAll(() => rmSync(folder, { recursive: true, force: true }))

const mended = (report: Report): Report => ({
  ...report,
  verdict: 'healthy',
  findings: report.findings.map((line) => {
    const { messageId: _, ...rest } = line
    return line.check === fault ? { ...rest, status: 'pass' } : line
  }),
})

describe('what has changed', () => {
  it('is nothing between two equal reports', () => {
    expect(changesBetween(manyPods(), manyPods())).toEqual([])
    expect(changeLines(oneCause(), oneCause(), '12:00:00', false)).toEqual([])
    expect(changeJson(oneCause(), oneCause(), '2026-01-01T00:00:00Z')).toEqual([])
  })

  it('is told in a line each, and then the verdict', () => {
    const lines = changeLines(oneCause(), mended(oneCause()), '12:00:00', false)
    expect(lines).toHaveLength(2)
    expect(lines[0]).toBe(
      `12:00:00 ✓ error → ok  sa shop/cart: The role's trust policy admits this ServiceAccount's token (${fault})`,
    )
    expect(lines[1]).toMatch(/^12:00:00 healthy:/u)
    expect(changeLines(mended(oneCause()), oneCause(), '12:00:01', false)[0]).toContain('✗ ok → error  sa shop/cart: ')
  })

  it('tells of those who came with a fault and of those who went with one', () => {
    const without: Report = { ...oneCause(), findings: oneCause().findings.filter(({ check }) => check !== fault) }
    expect(changeLines(oneCause(), without, 't', false)[0]).toMatch(/^t - error → gone /u)
    expect(changeLines(without, oneCause(), 't', false)[0]).toMatch(/^t ✗ error {2}sa shop\/cart/u)
  })

  it('keeps to its schema, and shows nothing invisible', () => {
    const pairs = [
      [undefined, oneCause()],
      [oneCause(), mended(oneCause())],
      [healthy(), hostile()],
      [hostile(), healthy()],
    ] as const
    for (const [before, after] of pairs) {
      const lines = changeJson(before, after, '2026-01-01T00:00:00.000Z')
      expect(lines.length).toBeGreaterThan(0)
      for (const line of lines) {
        expect(validate(JSON.parse(line)), JSON.stringify(validate.errors)).toBe(true)
        // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
        expect(line).not.toMatch(/[\u0000-\u001f\u007f-\u009f\u202e]/u)
      }
    }
  })
})

describe('--wait', () => {
  const never = new AbortController().signal
  const isEnough = ({ verdict }: Report): boolean => verdict === 'healthy'
  const looksOf = (...reports: readonly Report[]) => {
    let at = 0
    const look = async () => ({
      report: reports[Math.min(at++, reports.length - 1)] ?? healthy(),
      problems: [],
      formats: new Map(),
    })
    return { look, count: () => at }
  }

  it('ends with the first healthy look, and at once where that is the first', async () => {
    const { look, count } = looksOf(healthy())
    const seen = await untilEnough(look, { wait: 60_000, isEnough, stop: never, say: () => {} })
    expect(seen?.report.verdict).toBe('healthy')
    expect(count()).toBe(1)
  })

  it('looks once more when the time is up, says what it waits for, and returns what was seen last', async () => {
    const { look, count } = looksOf(oneCause())
    const said: string[] = []
    const seen = await untilEnough(look, { wait: 30, isEnough, stop: never, say: (words) => said.push(words) })
    expect(seen?.report.verdict).toBe('unhealthy')
    expect(count()).toBe(2)
    expect(said).toHaveLength(1)
    expect(said[0]).toMatch(/^unhealthy: 1 error.*looking again/u)
  })

  it('ends at once when it is stopped', async () => {
    const stop = new AbortController()
    const started = performance.now()
    const waiting = untilEnough(looksOf(oneCause()).look, {
      wait: 60_000,
      isEnough,
      stop: stop.signal,
      say: () => stop.abort(),
    })
    expect(await waiting).toBeUndefined()
    expect(performance.now() - started).toBeLessThan(1000)
    expect(await pause(1000, stop.signal)).toBe(false)
  })
})

describe('--watch', () => {
  it('prints what changes in the files until Ctrl-C', async () => {
    const place = path.join(folder, 'case')
    cpSync(demo('broken'), place, { recursive: true })
    const args = [entry, 'doctor', '-f', place, '--watch', '--interval', '200ms', '--check', fault, '-o', 'json']
    const child = spawn(process.execPath, args, { stdio: ['ignore', 'pipe', 'inherit'] })
    const seen: { readonly check?: string; readonly verdict?: string; readonly after?: { readonly status: string } }[] =
      []
    const ended = new Promise<number | null>((resolve) => child.on('close', resolve))
    let mend = true
    for await (const chunk of child.stdout) {
      for (const line of String(chunk).trim().split('\n')) {
        const told = JSON.parse(line)
        expect(validate(told), JSON.stringify(validate.errors)).toBe(true)
        seen.push(told)
      }
      const file = path.join(place, 'role.json')
      if (mend) writeFileSync(file, readFileSync(file, 'utf8').replace('shop-prod:cart', 'shop:cart'))
      mend = false
      if (seen.some(({ check, after }) => check === fault && after?.status === 'pass')) child.kill('SIGINT')
    }
    expect(await ended).toBe(130)
    expect(seen[0]?.after?.status).toBeDefined()
    expect(seen.some(({ check, after }) => check === fault && after?.status === 'fail')).toBe(true)
  })

  it('is refused with a form for one whole report', () => {
    const { status, stderr } = run(['doctor', '-f', demo('broken'), '--watch', '-o', 'sarif'])
    expect(status).toBe(2)
    expect(stderr).toContain('one whole report')
    sentence(stderr)
  })
})
