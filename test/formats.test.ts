/** The formats for pipelines and colleagues against the published schemas of each, hostile names included. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv } from 'ajv'
import { describe, expect, it } from 'vitest'
import { validateXML } from 'xmllint-wasm'
import { parseAllDocuments } from 'yaml'
import { known, type Source } from '../src/core/fact.ts'
import type { Report } from '../src/core/report.ts'
import type { Subject } from '../src/core/subject.ts'
import { alsoIn } from '../src/examine/also.ts'
import { formatFor } from '../src/examine/output.ts'
import { doctorFlags } from '../src/flags/doctor.ts'
import { type Format, renderers } from '../src/report/index.ts'
import { folder } from './live-doubles.ts'
import { openReport, policyReport } from './policy-report-form.ts'
import { healthy, hostile, manyPods, notSeen, oneCause } from './report/samples.ts'
import { demo, run } from './running.ts'

const markup = `"><script>alert(1)</script><img src=x onerror='alert(1)'>]]>&amp;\`\`\`|@everyone #1\n::error::x`

/** A report whose every text from outside is an attempt to be more than text. */
function evil(): Report {
  const report = oneCause()
  const name = (subject: Subject): Subject => ({ ...subject, name: subject.kind === 'Cluster' ? subject.name : markup })
  return {
    ...report,
    source: markup,
    notes: [markup],
    notRecognised: [markup],
    identities: report.identities.map(({ subject }) => ({ subject: name(subject), identity: markup, place: markup })),
    findings: report.findings.map((line) => ({
      ...line,
      subject: name(line.subject),
      message: markup,
      evidence: line.evidence.map((one) => ({ ...one, path: markup, observed: markup, expected: `x${markup}` })),
      remedy: { words: `${markup}\n${markup}` },
      links: ['javascript:alert(1)'],
      place: { file: `./a b/${markup}`, line: 3 },
    })),
  }
}

const samples = { healthy, hostile, manyPods, notSeen, oneCause, evil }
const allFormats = Object.keys(renderers).filter((name): name is Format => name in renderers)
const rendered = async (format: Format, report: Report): Promise<string> =>
  (await renderers[format]())(report, { color: false, width: 80, verbose: false })

const read = (name: string): string => readFileSync(path.join(import.meta.dirname, 'schemas', name), 'utf8')

describe('sarif', () => {
  const { $schema: _, id: __, ...schema } = JSON.parse(read('sarif-2.1.0.json'))
  const validate = new Ajv({
    strict: false,
    unicodeRegExp: false,
    formats: { uri: URL.canParse, 'uri-reference': /^[!-~]*$/u, 'date-time': true },
  }).compile(schema)

  for (const [name, sample] of Object.entries(samples))
    it(`keeps to the published schema: ${name}`, async () => {
      const log = JSON.parse(await rendered('sarif', sample()))
      expect(validate(log), JSON.stringify(validate.errors, null, 1)).toBe(true)
    })

  it('has a path for every result, without which code scanning takes none of them', async () => {
    const { results } = JSON.parse(await rendered('sarif', oneCause())).runs[0]
    expect(results.length).toBeGreaterThan(0)
    for (const { locations } of results)
      expect(locations[0].physicalLocation.artifactLocation.uri).toMatch(/^[\w.-]+(?:\/[\w.-]+)+$/u)
  })

  it('has the papers of each rule, and the line of the file that shows the fault', async () => {
    const { status, stdout } = run(['doctor', '-f', path.relative('.', demo('broken')), '-o', 'sarif'])
    const log = JSON.parse(stdout)
    expect(validate(log), JSON.stringify(validate.errors, null, 1)).toBe(true)
    const [{ results, tool, invocations }] = log.runs
    expect(results).toHaveLength(1)
    const [{ ruleId, ruleIndex, level, locations, message }] = results
    expect(ruleId).toBe('aws/trust-policy-admits-service-account')
    expect(level).toBe('error')
    expect(message.text).toContain('the policy trusts namespace shop-prod')
    const rule = tool.driver.rules[ruleIndex]
    expect(rule.id).toBe(ruleId)
    expect(rule.help.markdown).toContain('kubectl wi explain aws/trust-policy-admits-service-account')
    expect(rule.helpUri).toMatch(/^https:/u)
    const { artifactLocation, region } = locations[0].physicalLocation
    expect(artifactLocation.uri).toBe('test/fixtures/demo/broken/role.json')
    const line = readFileSync(artifactLocation.uri, 'utf8').split('\n')[region.startLine - 1]
    expect(line).toContain('system:serviceaccount:shop-prod:cart')
    expect(invocations[0].exitCode).toBe(status)
    expect(
      invocations[0].toolExecutionNotifications.map(({ descriptor }: { descriptor: { id: string } }) => descriptor?.id),
    ).toContain('unknown')
  })
})

describe('junit', () => {
  it('keeps to the published schema', async () => {
    const xml = await Promise.all(
      Object.entries(samples).map(async ([name, sample]) => ({
        fileName: `${name}.xml`,
        contents: await rendered('junit', sample()),
      })),
    )
    const { errors } = await validateXML({ xml, schema: [read('junit.xsd')] })
    expect(errors).toEqual([])
  })

  it('is red where the verdict is, and never green with nothing examined', async () => {
    const failures = /<testsuites [^>]*failures="(\d+)" errors="(\d+)"/u
    expect((await rendered('junit', oneCause())).match(failures)?.slice(1)).toEqual(['1', '0'])
    expect((await rendered('junit', healthy())).match(failures)?.slice(1)).toEqual(['0', '0'])
    expect(Number((await rendered('junit', notSeen())).match(failures)?.[2])).toBeGreaterThan(0)
    expect(await rendered('junit', { ...healthy(), findings: [], verdict: 'inconclusive' })).toContain('<error')
  })
})

describe('openreports', () => {
  const { manyPods: _, ...few } = samples
  for (const [name, sample] of Object.entries(few))
    it(`keeps to the form of its definition: ${name}`, async () => {
      const open = parseAllDocuments(await rendered('openreports', sample())).map((one) => one.toJS())
      for (const one of open) openReport.parse(one)
      const policy = parseAllDocuments(await rendered('policyreport', sample())).map((one) => one.toJS())
      for (const one of policy) policyReport.parse(one)
      const results = open.flatMap((one) => one.results)
      expect(results).toHaveLength(sample().findings.length)
      expect(policy.flatMap((one) => one.results)).toEqual(results)
    })
})

describe('openreports in a cluster', () => {
  const serving = (...groups: readonly string[]): Source => ({
    name: 'groups',
    ask: (question) => known({ groups: groups.map((name) => ({ name })) }, question),
  })
  it('is PolicyReport only where that is served and OpenReports is not', async () => {
    const ask = (source: Source, documents = false) => formatFor('openreports', { source, documents })
    expect(await ask(serving('wgpolicyk8s.io'))).toBe('policyreport')
    expect(await ask(serving('wgpolicyk8s.io', 'openreports.io'))).toBe('openreports')
    expect(await ask(serving())).toBe('openreports')
    expect(await ask(serving('wgpolicyk8s.io'), true)).toBe('openreports')
    expect(await formatFor('sarif', { source: serving('wgpolicyk8s.io'), documents: false })).toBe('sarif')
  })
})

describe('metrics', () => {
  const name = '[a-zA-Z_:][a-zA-Z0-9_:]*'
  const label = `[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\\\\n]|\\\\["\\\\n])*"`
  const sample = new RegExp(`^(${name})(?:\\{${label}(?:,${label})*\\})? \\d+$`, 'u')

  // https://prometheus.io/docs/instrumenting/exposition_formats/#text-format-details
  for (const [of, made] of Object.entries(samples))
    it(`keep to the text form: ${of}`, async () => {
      const text = await rendered('metrics', made())
      expect(text.endsWith('\n')).toBe(true)
      const seen = new Set<string>()
      let family = ''
      for (const line of text.slice(0, -1).split('\n')) {
        const [, kind, said = ''] = /^# (HELP|TYPE) (\S+) \S/u.exec(line) ?? []
        if (kind === 'HELP') expect(family === said, line).toBe(false)
        if (kind === 'TYPE') expect(line).toBe(`# TYPE ${said} gauge`)
        if (kind !== undefined) family = said
        else {
          expect(sample.exec(line)?.[1], line).toBe(family)
          const series = line.slice(0, line.lastIndexOf(' '))
          expect(seen.has(series), series).toBe(false)
          seen.add(series)
        }
      }
    })

  it('count what is not well, and name no object', async () => {
    const text = await rendered('metrics', oneCause())
    expect(text).toContain(
      'wi_findings{namespace="shop",check="aws/trust-policy-admits-service-account",severity="error",status="fail"} 1\n',
    )
    expect(text).toContain('wi_verdict{verdict="unhealthy"} 1\n')
    expect(text).not.toContain('status="pass",')
    expect(text).not.toContain('cart')
  })
})

describe('markdown, github and html', () => {
  for (const format of ['markdown', 'github', 'html'] as const)
    it(`${format} of one cause`, async () => {
      await expect(await rendered(format, oneCause())).toMatchFileSnapshot(`report/oneCause-${format}.txt`)
    })

  it('lets no text from outside become markup, a command or a link', async () => {
    const html = await rendered('html', evil())
    expect(html).not.toMatch(/<(?:script|img)/u)
    expect(html).not.toMatch(/href="(?!https?:)/u)
    expect(html).not.toMatch(/=(?:"[^"<>]*"|')[^\s/>]/u)
    const markdown = await rendered('markdown', evil())
    expect(markdown.split('```sh')[0]).not.toMatch(/(?<!`[^`\n]*)<(?:script|img)/u)
    const github = await rendered('github', evil())
    for (const line of github.split('\n').filter((one) => one.startsWith('::')))
      expect(line).toMatch(/^::(?:error|warning|notice) (?:file=[^,]*,line=\d+,)?title=[^,:]*::/u)
    expect(github.match(/^::error/gmu)).toHaveLength(1)
  })

  it('html takes nothing from elsewhere and runs nothing', async () => {
    const html = await rendered('html', oneCause())
    expect(html).toContain("default-src 'none'")
    expect(html).not.toMatch(/<(?:script|link|iframe|object|img)|url\(|@import|\son\w+=/u)
    expect(html).toContain('prefers-color-scheme:dark')
    expect(html).toContain('@media print')
    expect(html.match(/<svg class="across"/gu)).toHaveLength(1)
    expect(html.match(/<svg class="down"/gu)).toHaveLength(1)
  })

  it('shows no invisible character in any format', async () => {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
    const invisible = /[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u
    for (const format of allFormats) expect(await rendered(format, hostile()), format).not.toMatch(invisible)
  })
})

describe('--also', () => {
  it('writes further formats of the same run, each whole', async () => {
    const place = folder()
    const files = { sarif: place.file('sarif', ''), metrics: place.file('prom', '') }
    const also = Object.entries(files).flatMap(([format, file]) => ['--also', `${format}=${file}`])
    const { status, stdout } = run(['doctor', '-f', demo('broken'), '-o', 'junit', ...also])
    expect([status, stdout.slice(0, 5)]).toEqual([1, '<?xml'])
    expect(JSON.parse(readFileSync(files.sarif, 'utf8')).runs[0].results).toHaveLength(1)
    expect(readFileSync(files.metrics, 'utf8')).toContain('wi_verdict{verdict="unhealthy"} 1\n')
    const nowhere = run(['doctor', '-f', demo('broken'), '--also', `json=${files.sarif}/none`])
    expect([nowhere.status, nowhere.stderr]).toEqual([2, expect.stringMatching(/^error: --also json=.*ENOTDIR/u)])
    place.remove()
  })

  it('says which formats there are', () => {
    expect(() => alsoIn(['prom=x'])).toThrow(/FORMAT is one of table, .*metrics/u)
    expect(() => alsoIn(['json='])).toThrow(/is not FORMAT=FILE/u)
  })
})

describe('the exit code', () => {
  it('is the same in every format', () => {
    expect(doctorFlags.output.options).toEqual(allFormats)
    for (const [name, output, code] of [
      ['broken', 'junit', 1],
      ['healthy', 'openreports', 3],
    ] as const)
      expect(run(['doctor', '-f', demo(name), '-o', output]).status, `${name} ${output}`).toBe(code)
  })
})
