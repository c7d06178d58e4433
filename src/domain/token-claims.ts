/** Reads the header and the claims of a compact JWT; the signature is looked at only for its form and never returned. */
import { isObject, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'

export type TokenParts = 'parts' | 'header' | 'claims' | 'signature'

export type TokenReading =
  | {
      readonly state: 'read'
      readonly header: JsonObject
      readonly claims: JsonObject
      /** `alg` is `none`: nobody signed it. */
      readonly unsigned: boolean
    }
  | {
      readonly state: 'broken'
      readonly part: TokenParts
      /** One clause without a word of the token itself: "the header is not base64url". */
      readonly problem: string
      /** What could be read before the broken part. */
      readonly header?: JsonObject
      readonly claims?: JsonObject
    }

const alphabet = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_'
const digits = new Map([...alphabet].map((letter, value) => [letter.charCodeAt(0), value]))

/** The bytes of base64url text without padding; undefined where it is none. */
export function bytesOf(text: string): Uint8Array | undefined {
  if (text.length % 4 === 1) return undefined
  const bytes = new Uint8Array(Math.floor((text.length * 3) / 4))
  let held = 0
  let bits = 0
  let at = 0
  for (let index = 0; index < text.length; index += 1) {
    const digit = digits.get(text.charCodeAt(index))
    if (digit === undefined) return undefined
    held = ((held << 6) | digit) & 0xffff
    bits += 6
    if (bits >= 8) {
      bits -= 8
      bytes[at] = (held >> bits) & 0xff
      at += 1
    }
  }
  return bytes
}

/** Bytes as base64url text without padding. */
export function base64url(bytes: Uint8Array): string {
  let text = ''
  for (let at = 0; at < bytes.length; at += 3) {
    const [a = 0, b = 0, c = 0] = bytes.subarray(at, at + 3)
    const word = (a << 16) | (b << 8) | c
    const letters = Math.min(bytes.length - at, 3) + 1
    for (let place = 0; place < letters; place += 1) text += alphabet[(word >> (18 - 6 * place)) & 63] ?? ''
  }
  return text
}

const utf8 = new TextDecoder('utf-8', { fatal: true })

/** STS takes tokens of at most 20,000 characters; nothing that is longer is a token that a cloud would read. */
const longest = 64 * 1024

function objectIn(part: string, name: string): JsonObject | string {
  if (part === '') return `the ${name} is empty`
  const bytes = bytesOf(part)
  if (bytes === undefined) return `the ${name} is not base64url`
  let value: Json
  try {
    value = JSON.parse(utf8.decode(bytes))
  } catch {
    return `the ${name} is base64url, but not of JSON`
  }
  return isObject(value) ? value : `the ${name} is JSON, but no object`
}

/** Header and claims of a compact JWT. Never throws; what it says of a broken one holds no word of the token. */
export function readToken(text: string): TokenReading {
  const token = text.trim()
  if (token.length > longest)
    return { state: 'broken', part: 'parts', problem: `it is longer than ${longest} characters` }
  const parts = token.split('.', 6)
  if (parts.length !== 3) {
    const count = parts.length > 5 ? 'more than five' : parts.length
    const sort = parts.length === 5 ? ', as an encrypted token has' : ''
    return {
      state: 'broken',
      part: 'parts',
      problem: `a token has three parts with a dot between them, this has ${count}${sort}`,
    }
  }
  const [first = '', second = '', third = ''] = parts
  const header = objectIn(first, 'header part')
  if (typeof header === 'string') return { state: 'broken', part: 'header', problem: header }
  const claims = objectIn(second, 'claims part')
  if (typeof claims === 'string') return { state: 'broken', part: 'claims', problem: claims, header }
  const unsigned = textAt(header, 'alg')?.toLowerCase() === 'none'
  if (third === '' && !unsigned)
    return { state: 'broken', part: 'signature', problem: 'the signature is missing', header, claims }
  if (bytesOf(third) === undefined)
    return { state: 'broken', part: 'signature', problem: 'the signature is not base64url', header, claims }
  return { state: 'read', header, claims, unsigned }
}

/** Whether a text is one compact JWT and nothing else: three parts, the first one an object in base64url. */
export function isTokenShaped(text: string): boolean {
  const token = text.trim()
  return token.length <= longest && /^eyJ[\w-]+\.[\w-]+\.[\w-]*$/.test(token)
}

/** `system:serviceaccount:shop:cart` → {namespace: shop, name: cart}. */
export function serviceAccountOf(
  subject: string | undefined,
): { readonly namespace: string; readonly name: string } | undefined {
  const [system, kind, namespace, name, ...more] = (subject ?? '').split(':')
  if (system !== 'system' || kind !== 'serviceaccount' || !namespace || !name || more.length > 0) return undefined
  return { namespace, name }
}

export const audiencesOf = (claims: Json): readonly string[] => textsAt(claims, 'aud')
