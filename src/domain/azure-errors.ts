/** What Entra's error texts say: their codes, and what they quote of the assertion. */

const codes = /AADSTS(\d{5,8})(?!\d)/g

/** Sentences that stand behind one code only, for whoever quotes them without it. */
const sentences: readonly (readonly [RegExp, string])[] = [
  [/No matching federated identity record found for presented assertion issuer/, '700211'],
  [/No matching federated identity record found for presented assertion audience/, '700212'],
  [/The subject matches with case-insensitive comparison, but not with case-sensitive comparison/, '7002138'],
  [/No matching federated identity record found for presented assertion subject/, '700213'],
  [/No matching federated identity record found for presented assertion\b/, '70021'],
  [/Application with identifier '[^']{1,400}' was not found in the directory/, '700016'],
  [/Client assertion is not within its valid time range/, '700024'],
]

/** The codes in a text, each once, without the letters before them. */
export function codesIn(text: string): readonly string[] {
  const found = new Set([...text.matchAll(codes)].map(([, code = '']) => code))
  if (found.size > 0) return [...found]
  const plain = text.replace(/\s+/g, ' ')
  const said = sentences.find(([sentence]) => sentence.test(plain))?.[1]
  return said === undefined ? [] : [said]
}

export type Quoted = { readonly issuer?: string; readonly subject?: string; readonly audience?: string }

const shapes = {
  issuer: /(?:Assertion Issuer: ?|assertion issuer )'([^'\s]{1,700})'/,
  subject: /(?:Assertion Subject: ?|assertion subject )'([^']{1,700})'/,
  audience: /(?:Assertion Audience: ?|assertion audience )'([^'\s]{1,700})'/,
} as const

/** What of the assertion a text quotes; nothing where it was masked. */
export function quotedIn(text: string): Quoted {
  const plain = text.replace(/\s+/g, ' ')
  const issuer = shapes.issuer.exec(plain)?.[1]
  const subject = shapes.subject.exec(plain)?.[1]
  const audience = shapes.audience.exec(plain)?.[1]
  return {
    ...(issuer === undefined ? {} : { issuer }),
    ...(subject === undefined ? {} : { subject }),
    ...(audience === undefined ? {} : { audience }),
  }
}

/** Codes that say that no credential matches: https://learn.microsoft.com/entra/workload-id/workload-identity-federation-considerations */
export const noMatch: ReadonlySet<string> = new Set(['70021', '700211', '700212', '700213', '7002138'])
/** Codes that Entra answers when it could not read the issuer's documents; they come and go. */
export const unreadIssuer: ReadonlySet<string> = new Set(['90061', '50166', '501661'])

/** Codes that have a check of their own; any other one is the exchange's. */
export const elsewhere: ReadonlySet<string> = new Set([
  ...noMatch,
  ...unreadIssuer,
  '700016',
  '7000112',
  '90002',
  '900021',
  '900023',
  '900144',
  '900382',
  '90038',
  '50027',
  '70023',
  '700024',
  '700222',
  '700229',
  '7000272',
  '50005',
])

/** The sentence behind a code, without the identifiers of the request. */
export function sentenceOf(text: string, code: string): string {
  const plain = text.replace(/\\[ntr]|\s+/g, ' ')
  const start = plain.indexOf(`AADSTS${code}`)
  const rest = (start < 0 ? plain : plain.slice(start + 6 + code.length)).replace(/^[: ]+/, '')
  const end = /(?: Trace ID: | Timestamp: | Correlation ID: |\. https?:| https:\/\/(?:docs|learn)\.)/.exec(rest)?.index
  const sentence = (end === undefined ? rest : rest.slice(0, end)).trim()
  return sentence.length > 300 ? `${sentence.slice(0, 300)}…` : sentence
}

/** The client or application that a text names. */
export const identifierIn = (text: string): string | undefined =>
  /(?:Application with identifier|The application|Application) '([^'\s]{1,400})'/.exec(text)?.[1]
export const directoryIn = (text: string): string | undefined =>
  /(?:in the directory|Tenant) '([^']{1,200})'/.exec(text)?.[1]
