/** Every format of the report against golden files, its schema, and the promises of its text. */
import { Ajv2020 } from 'ajv/dist/2020.js'
import { describe, expect, it } from 'vitest'
import { parse } from 'yaml'
import type { z } from 'zod'
import { reportJsonSchema, type reportSchema } from '../scripts/report-schema.ts'
import type { Report } from '../src/core/report.ts'
import { differenceOf } from '../src/report/difference.ts'
import { type Format, piecesOf, renderers } from '../src/report/index.ts'
import { reportData } from '../src/report/ordered.ts'
import { clean, few, wrap } from '../src/report/text.ts'
import { healthy, hostile, manyPods, notSeen, oneCause } from './report/samples.ts'

const samples = { healthy, hostile, manyPods, notSeen, oneCause }

const rendered = async (
  format: Format,
  report: Report,
  width = 80,
  more: { color?: boolean; verbose?: boolean } = {},
) => (await renderers[format]())(report, { color: more.color ?? false, width, verbose: more.verbose ?? false })

const escapes = new RegExp(`${String.fromCodePoint(27)}\\[[0-9;]*m`, 'gu')

describe('the text for a person', () => {
  for (const [name, sample] of Object.entries(samples))
    for (const width of [60, 80, 120])
      it(`${name} at ${width} columns`, async () => {
        const text = await rendered('table', sample(), width)
        await expect(text).toMatchFileSnapshot(`report/${name}-${width}.txt`)
      })

  it('with -v shows the evidence of what passed and what did not apply', async () => {
    const text = await rendered('table', notSeen(), 80, { verbose: true })
    await expect(text).toMatchFileSnapshot('report/notSeen-verbose.txt')
    expect(text).toContain('no pod uses this ServiceAccount')
    expect(text).toContain('asked   kubernetes nonresource')
    expect(await rendered('table', notSeen(), 80)).not.toContain('no pod uses this ServiceAccount')
  })

  it('in colour', async () => {
    await expect(await rendered('table', oneCause(), 80, { color: true })).toMatchFileSnapshot(
      'report/oneCause-color.txt',
    )
  })

  it('says the same words with and without colour', async () => {
    for (const sample of Object.values(samples)) {
      const color = await rendered('table', sample(), 80, { color: true })
      expect(color).not.toBe(await rendered('table', sample(), 80))
      expect(color.replace(escapes, '')).toBe(await rendered('table', sample(), 80))
    }
  })

  it('keeps to the width, except for words that a person must be able to copy', async () => {
    for (const sample of Object.values(samples))
      for (const width of [60, 72, 80, 100, 120])
        for (const verbose of [false, true])
          for (const line of (await rendered('table', sample(), width, { verbose })).split('\n'))
            if (line.length > width && !/^ +(?:kubectl|aws) /u.test(line))
              expect(
                Math.max(
                  ...line
                    .trim()
                    .split(/\s+/u)
                    .map((word) => word.length),
                ),
              ).toBeGreaterThan(width - 30)
  })

  it('puts a word beside every mark', async () => {
    for (const sample of Object.values(samples))
      for (const line of (await rendered('table', sample(), 80)).split('\n'))
        if (/^ [✗!◦?✓]/u.test(line)) expect(line).toMatch(/^ . \p{L}/u)
  })

  it('tells one cause once, with how many it hits and the first few names', async () => {
    const text = await rendered('table', manyPods(), 80)
    expect(text.split('\n').length).toBeLessThan(60)
    expect(text.match(/the container app has neither/gu)).toHaveLength(1)
    expect(text).toContain('200 pods: shop/worker-00-000')
    expect(text).toContain('and 197 more')
  })

  it('says what puts it right, a command on one line and a long element over many', async () => {
    const text = await rendered('table', oneCause(), 60)
    expect(text).toContain(
      '\n             aws iam update-assume-role-policy --role-name cart --policy-document file://trust.json\n',
    )
    expect(text).toContain('\n               "system:serviceaccount:shop:cart"\n             ]\n')
    expect(text).not.toContain('rewrite the one condition')
  })

  it('gives the commands for everybody whom a cause hits, each once, and says how many it leaves out', async () => {
    const brief = await rendered('table', manyPods(), 80)
    expect(brief.match(/kubectl rollout restart deployment\/worker-00 /gu)).toHaveLength(1)
    expect(brief).toContain('and 16 other commands (-v lists them)')
    const verbose = await rendered('table', manyPods(), 80, { verbose: true })
    for (let index = 0; index < 40; index += 1)
      expect(verbose).toContain(`kubectl rollout restart deployment/worker-${String(index).padStart(2, '0')} -n shop\n`)
  })

  it('folds what is blocked under the root of it, through what is blocked itself', async () => {
    const lines = (await rendered('table', oneCause(), 80)).split('\n')
    const root = lines.findIndex((line) => line.includes("✗ The role's trust policy admits"))
    const folded = lines.findIndex((line) => line.includes('The workload uses its own role'))
    const next = lines.findIndex((line) => line.startsWith('Workload'))
    expect(root).toBeGreaterThan(0)
    expect(folded).toBeGreaterThan(root)
    expect(folded).toBeLessThan(next)
  })

  it('lets no text from outside move the cursor or hide a letter', async () => {
    for (const format of ['table', 'wide', 'json', 'yaml'] as const) {
      const text = await rendered(format, hostile())
      // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what must not be there
      expect(text).not.toMatch(/[\u0000-\u0009\u000b-\u001f\u007f-\u009f\u202e]/u)
    }
  })

  it('never calls it healthy when nothing was examined', async () => {
    const text = await rendered('table', { ...healthy(), findings: [], verdict: 'inconclusive' })
    expect(text).toContain('inconclusive: nothing was examined')
  })
})

describe('the pointer at a difference', () => {
  const marked = (expected: string, observed: string, width = 60): string => {
    const { second: shown, at, length } = differenceOf(expected, observed, width)
    return shown.slice(at, at + length)
  }
  it('covers the part between two boundaries', () => {
    expect(marked('system:serviceaccount:shop-prod:cart', 'system:serviceaccount:shop:cart')).toBe('shop')
    expect(marked('arn:aws:iam::1:role/cart', 'arn:aws:iam::1:role/card')).toBe('card')
  })
  it('names differences that the eye does not see', () => {
    expect(differenceOf('https://a/', 'https://a', 60).words).toContain('lacks the "/"')
    expect(differenceOf('Cart', 'cart', 60).words).toContain('case')
    expect(differenceOf('cart', 'cart ', 60).words).toContain('white space')
    expect(differenceOf('cart', '', 60).words).toBe('empty')
  })
  it('keeps the difference in sight when there is little room', () => {
    const long = 'x'.repeat(300)
    for (const width of [30, 45, 80])
      for (const at of [0, 1, 40, 150, 299]) {
        const other = `${long.slice(0, at)}y${long.slice(at + 1)}`
        const seen = differenceOf(long, other, width)
        expect(seen.second.length).toBeLessThanOrEqual(width)
        expect(seen.first.length).toBeLessThanOrEqual(width)
        expect(seen.at + seen.length).toBeLessThanOrEqual(width)
        expect(seen.second).toContain('y')
      }
  })
})

describe('the formats for a program', () => {
  const schema = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(JSON.parse(reportJsonSchema()))

  for (const [name, sample] of Object.entries(samples)) {
    it(`${name} as JSON fits the schema`, async () => {
      const data = JSON.parse(await rendered('json', sample()))
      expect(schema(data), JSON.stringify(schema.errors)).toBe(true)
    })
    it(`${name} as YAML is the same data`, async () => {
      expect(parse(await rendered('yaml', sample()))).toEqual(JSON.parse(await rendered('json', sample())))
    })
  }

  it('refuses a report that lacks what is promised', async () => {
    const data = JSON.parse(await rendered('json', oneCause()))
    expect(schema({ ...data, verdict: 'fine' })).toBe(false)
    expect(schema({ ...data, extra: 1 })).toBe(false)
    expect(schema({ ...data, findings: [{ ...data.findings[0], links: [] }] })).toBe(false)
  })

  it('writes JSON in pieces that together are the JSON of the whole', async () => {
    for (const report of [manyPods(), oneCause(), hostile(), { ...oneCause(), findings: [] }]) {
      const pieces = [...(await piecesOf('json', report, { color: false, width: 80, verbose: false }))]
      const whole: unknown = JSON.parse(JSON.stringify(reportData(report)))
      expect(JSON.parse(pieces.join(''))).toEqual(whole)
      expect(clean(pieces.join('').replaceAll('\n', ' '))).toBe(pieces.join('').replaceAll('\n', ' '))
    }
    const plain = { ...manyPods(), notes: ['"findings": []'] }
    expect(await rendered('json', plain)).toBe(`${JSON.stringify(reportData(plain), null, 2)}\n`)
    expect([...(await piecesOf('json', plain, { color: false, width: 80, verbose: false }))].length).toBeGreaterThan(3)
  })

  it('keeps its keys and their order', async () => {
    await expect(await rendered('json', oneCause())).toMatchFileSnapshot('report/oneCause-json.txt')
    await expect(await rendered('yaml', notSeen())).toMatchFileSnapshot('report/notSeen-yaml.txt')
    await expect(await rendered('wide', notSeen())).toMatchFileSnapshot('report/notSeen-wide.txt')
  })

  it('writes the same bytes whatever order the data came in', async () => {
    const report = oneCause()
    const turned = {
      ...report,
      findings: report.findings.map((line) =>
        line.data === undefined ? line : { ...line, data: Object.fromEntries(Object.entries(line.data).reverse()) },
      ),
    }
    expect(await rendered('json', turned)).toBe(await rendered('json', report))
    expect(await rendered('yaml', turned)).toBe(await rendered('yaml', report))
  })

  it('has one row a finding when wide', async () => {
    const report = manyPods()
    expect((await rendered('wide', report)).trim().split('\n')).toHaveLength(report.findings.length + 1)
  })
})

describe('laying out words', () => {
  it('wraps at blanks and leaves long words whole', () => {
    expect(wrap('one two three', 7)).toEqual(['one two', 'three'])
    expect(wrap(`see https://example.com/${'a'.repeat(40)}`, 20)).toHaveLength(2)
    expect(wrap('   ', 10)).toEqual([])
  })
  it('counts what it does not name, and never leaves out just one', () => {
    expect(few(['a', 'b', 'c', 'd'], 3)).toBe('a, b, c, d')
    expect(few(['a', 'b', 'c', 'd', 'e'], 3)).toBe('a, b, c and 2 more')
  })
  it('spells out what is not seen', () => {
    expect(clean('a\u200bb\n')).toBe('a\\u200bb\\n')
  })
})

// The schema and the type say the same, or this file does not compile.
type Plain<T> = T extends readonly (infer One)[]
  ? readonly Plain<One>[]
  : T extends object
    ? { readonly [K in keyof T]: Plain<T[K]> }
    : T
type Described = Plain<z.infer<typeof reportSchema>>
const promised = (described: Omit<Described, 'findings' | 'identities'>): Omit<Report, 'findings' | 'identities'> =>
  described
void promised
