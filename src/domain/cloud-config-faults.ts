/** What is wrong with a cloud config for its provider, in order of precedence. */
import { type CloudConfig, type ConfigKey, isSecretKey } from './cloud-config.ts'

type Section = { readonly name: string; readonly keys: readonly string[]; readonly whole?: true }
type Reads = { readonly [provider: string]: readonly Section[] }

export type Fault = { readonly observed: string } & (
  | { readonly kind: 'not-parsable'; readonly line: number }
  | {
      readonly kind: 'key-of-another-provider'
      readonly line: number
      readonly section: string
      readonly key: string
      readonly other: string
      readonly expected: string
    }
  | { readonly kind: 'unknown-section'; readonly section: string; readonly sections: string }
  | { readonly kind: 'unknown-key'; readonly line: number; readonly section: string; readonly key: string }
  | { readonly kind: 'credential-missing'; readonly present: string; readonly missing: string }
  | { readonly kind: 'placeholder-left'; readonly line: number; readonly section: string; readonly key: string }
)

const same = (a: string, b: string): boolean => a.toLowerCase() === b.toLowerCase()
const holds = (keys: readonly string[], key: string): boolean => keys.some((one) => same(one, key))

/** What such a key is called where this provider reads it. */
function expectedFor(key: string, section: Section): string {
  if (isSecretKey(key) && holds(section.keys, 'password')) return 'password'
  const near = section.keys.find((one) => same(one.replaceAll('-', ''), key.replaceAll('-', '')))
  return near ?? section.keys.slice(0, 12).join(', ')
}

/** `provider` unknown: only what no provider reads is said. */
export function faultsOf({ sections, bad }: CloudConfig, provider: string | undefined, reads: Reads): readonly Fault[] {
  const own = provider === undefined ? undefined : reads[provider]
  const foreign: Fault[] = []
  const strangeSections: Fault[] = []
  const strange: Fault[] = []
  const placeholders: Fault[] = []
  for (const { name, keys } of sections) {
    const section = own?.find((one) => same(one.name, name))
    if (own !== undefined && section === undefined && own.every(({ name: known }) => known !== ''))
      strangeSections.push({
        kind: 'unknown-section',
        section: name,
        sections: own.map((one) => `[${one.name}]`).join(', '),
        observed: `[${name}]`,
      })
    for (const { key, line, state } of keys) {
      const where = { line, section: name, key, observed: key }
      const others = Object.entries(reads).filter(
        ([other, all]) => other !== provider && all.some((one) => same(one.name, name) && holds(one.keys, key)),
      )
      if (section !== undefined && section.keys.length > 0 && !holds(section.keys, key)) {
        if (others.length > 0 && (section.whole === true || isSecretKey(key)))
          foreign.push({
            kind: 'key-of-another-provider',
            ...where,
            other: others.map(([other]) => other).join(' and '),
            expected: expectedFor(key, section),
          })
        else if (section.whole === true) strange.push({ kind: 'unknown-key', ...where })
      } else if (own === undefined && others.length === 0 && wholeEverywhere(reads, name))
        strange.push({ kind: 'unknown-key', ...where })
      if (state === 'placeholder') placeholders.push({ kind: 'placeholder-left', ...where })
    }
  }
  const lacking = provider === undefined ? undefined : lackOf(sections.flatMap(({ keys }) => keys))
  return [
    ...(bad === undefined ? [] : [{ kind: 'not-parsable', line: bad, observed: `line ${bad}` } as const]),
    ...foreign,
    ...strangeSections,
    ...strange,
    ...(lacking === undefined ? [] : [lacking]),
    ...placeholders,
  ]
}

/** Whether every provider that reads this section reads no more than is known of. */
const wholeEverywhere = (reads: Reads, name: string): boolean => {
  const all = Object.values(reads).flatMap((sections) => sections.filter((one) => same(one.name, name)))
  return all.length > 0 && all.every(({ whole }) => whole === true)
}

const users = ['username', 'user-id', 'user', 'aadclientid']
const half = 'application-credential-'
const ways =
  /^(?:password|api-key|secret-key|application-credential-secret|trust-id|secret-name|use-clouds|aadclientsecret|aadclientcertpath|usemanagedidentityextension|usefederatedworkloadidentityextension)$/

/** Who is named with nothing to prove it by. Which keys a provider needs besides is not certain. */
function lackOf(keys: readonly ConfigKey[]): Fault | undefined {
  const set = keys.filter(({ state }) => state !== 'empty').map(({ key }) => key.toLowerCase())
  const given = keys.filter(({ state }) => state !== 'empty')
  const user =
    given.find(({ key }) => users.includes(key.toLowerCase())) ??
    given.find(({ key }) => key.toLowerCase() === `${half}id` || key.toLowerCase() === `${half}name`)
  if (user === undefined || set.some((key) => ways.test(key))) return undefined
  const missing = same(user.key, 'aadClientId')
    ? 'aadClientSecret'
    : set.some((key) => key.startsWith(half))
      ? `${half}secret`
      : 'password'
  return { kind: 'credential-missing', present: user.key, missing, observed: user.key }
}
