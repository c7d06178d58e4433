/** What a token says: header, claims, lifetime, and whether its issuer's published keys verify it; never its signature. */
import { isList, isObject, type Json, type JsonObject, textAt } from '../core/json.ts'
import { audiencesOf, readToken, serviceAccountOf, type TokenReading } from '../domain/token-claims.ts'
import { clean } from '../report/text.ts'
import type { Page } from './words.ts'

/** Whether the published keys verify the signature; `open` says why nobody has looked. */
export type SignatureVerdict =
  | { readonly state: 'verified' }
  | { readonly state: 'refuted'; readonly reason: string }
  | { readonly state: 'open'; readonly reason: string }

export type TokenPage = { readonly lines: readonly string[]; readonly sound: boolean }

const seconds = (claims: JsonObject, name: string): number | undefined => {
  const value = claims[name]
  return typeof value === 'number' && Number.isFinite(value) && Math.abs(value) < 8e12 ? value : undefined
}

/** `2 d 3 h`, `59 min`, `12 s`: the two largest units that count. */
export function spanOf(total: number): string {
  const units = [
    ['d', 86_400],
    ['h', 3600],
    ['min', 60],
    ['s', 1],
  ] as const
  let rest = Math.floor(Math.abs(total))
  const parts: string[] = []
  for (const [unit, size] of units) {
    const number = Math.floor(rest / size)
    rest -= number * size
    if (number > 0) parts.push(`${number} ${unit}`)
  }
  return parts.slice(0, 2).join(' ') || '0 s'
}

const times = new Set(['exp', 'iat', 'nbf'])
const order = ['iss', 'sub', 'aud', 'iat', 'nbf', 'exp']

function valueText(name: string, value: Json): string {
  if (times.has(name) && typeof value === 'number' && Math.abs(value) < 8e12)
    return new Date(value * 1000).toISOString().replace('.000Z', 'Z')
  if (isList(value) && value.every((one) => typeof one === 'string')) return clean(value.join(', '))
  return clean(typeof value === 'string' ? value : JSON.stringify(value))
}

/** Nested members one a line: kubernetes.io.pod.name. */
function flat(value: JsonObject, prefix = ''): readonly (readonly [name: string, text: string])[] {
  return Object.entries(value).flatMap(([name, member]) =>
    isObject(member) && prefix.split('.').length < 4
      ? flat(member, `${prefix}${name}.`)
      : [[clean(`${prefix}${name}`), valueText(name, member)] as const],
  )
}

const inOrder = (claims: JsonObject): JsonObject =>
  Object.fromEntries(
    Object.entries(claims).sort(([a], [b]) => {
      const [x, y] = [order.indexOf(a), order.indexOf(b)]
      return (x < 0 ? order.length : x) - (y < 0 ? order.length : y)
    }),
  )

function rows(title: string, value: JsonObject, page: Page): readonly string[] {
  const all = flat(value)
  const column = Math.max(...all.map(([name]) => name.length), 9) + 2
  return [page.strong(title), ...all.map(([name, text]) => `  ${name.padEnd(column)}${text}`)]
}

/** Why a claim does not count: it is not there, or not of its kind. */
const missing = (claims: JsonObject, name: string, kind: string): string =>
  Object.hasOwn(claims, name) ? `its ${name} claim is no ${kind}` : `it has no ${name} claim`

function lifetime(claims: JsonObject, now: number): { readonly text: string; readonly sound: boolean } {
  const exp = seconds(claims, 'exp')
  const from = seconds(claims, 'nbf') ?? seconds(claims, 'iat')
  if (exp === undefined)
    return { text: `never expires: ${missing(claims, 'exp', 'number')}, which no cloud accepts`, sound: false }
  const whole = from === undefined ? '' : ` of ${spanOf(exp - from)}`
  if (exp <= now) return { text: `expired ${spanOf(now - exp)} ago`, sound: false }
  if (from !== undefined && from > now)
    return { text: `not valid yet: it begins in ${spanOf(from - now)}, by this machine's clock`, sound: false }
  return { text: `${spanOf(exp - now)} left${whole}`, sound: true }
}

function signatureText(verdict: SignatureVerdict, header: JsonObject, unsigned: boolean): string {
  if (unsigned)
    return 'none: alg is "none", so nobody has signed this token and anybody can write one like it; no cloud accepts it'
  const by = clean(`${textAt(header, 'alg') ?? 'no alg'}, kid ${textAt(header, 'kid') ?? 'missing'}`)
  if (verdict.state === 'verified') return `valid: a key that the issuer publishes verifies it (${by})`
  return verdict.state === 'refuted' ? `not valid: ${verdict.reason} (${by})` : `not checked: ${verdict.reason} (${by})`
}

/** The page about a token that could be read. `now`: seconds since 1970. */
export function tokenPage(
  token: { readonly header: JsonObject; readonly claims: JsonObject; readonly unsigned: boolean },
  verdict: SignatureVerdict,
  now: number,
  page: Page,
): TokenPage {
  const { header, claims, unsigned } = token
  const life = lifetime(claims, now)
  const owner = serviceAccountOf(textAt(claims, 'sub'))
  const audiences = audiencesOf(claims)
  const column = 11
  const said = (label: string, text: string): readonly string[] =>
    page
      .text(text, column + 2)
      .map((line, index) => (index === 0 ? `  ${label.padEnd(column)}${line.trimStart()}` : line))
  return {
    sound: life.sound && !unsigned && verdict.state !== 'refuted',
    lines: [
      ...rows('Header', header, page),
      '',
      ...rows('Claims', inOrder(claims), page),
      '',
      page.strong('Verdict'),
      ...said(
        'whose',
        owner === undefined
          ? 'not of a ServiceAccount: sub is not system:serviceaccount:NAMESPACE:NAME'
          : clean(`ServiceAccount ${owner.namespace}/${owner.name}`),
      ),
      ...said(
        'for whom',
        audiences.length === 0 ? `nobody: ${missing(claims, 'aud', 'text')}` : clean(audiences.join(', ')),
      ),
      ...said('lifetime', life.text),
      ...said('signature', signatureText(verdict, header, unsigned)),
    ],
  }
}

/** The page about a text that is no token: which part is broken and why, and what could be read before it. */
export function brokenPage(reading: Extract<TokenReading, { state: 'broken' }>, page: Page): TokenPage {
  const { header, claims, problem, part } = reading
  return {
    sound: false,
    lines: [
      ...(header === undefined ? [] : [...rows('Header', header, page), '']),
      ...(claims === undefined ? [] : [...rows('Claims', inOrder(claims), page), '']),
      ...page.text(`malformed (${part === 'parts' ? 'the whole' : part}): ${problem}`),
    ],
  }
}

export { readToken }
