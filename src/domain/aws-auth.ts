/** ConfigMap kube-system/aws-auth: who is mapped to whom, and which entries can match no caller. */

export const mapNames = ['mapRoles', 'mapUsers', 'mapAccounts'] as const
export type MapName = (typeof mapNames)[number]
/** What an entry names its principal by; accounts are plain texts. */
export const arnKeys = { mapRoles: 'rolearn', mapUsers: 'userarn', mapAccounts: 'account' } as const satisfies {
  readonly [N in MapName]: string
}

export type AuthEntry = {
  readonly section: MapName
  /** From 0, as the messages count. */
  readonly index: number
  /** As written; of mapAccounts the account. */
  readonly arn?: string
  /** As written, the empty text included. */
  readonly username?: string
  readonly groups: readonly string[]
  /** Maps an SSO permission set instead of an ARN; the self-hosted authenticator only. */
  readonly sso: boolean
}

export type AuthSection =
  | { readonly state: 'left-out' }
  | { readonly state: 'not-text'; readonly type: string }
  | { readonly state: 'broken'; readonly line: number; readonly reason: string }
  | { readonly state: 'not-a-list'; readonly type: string }
  | { readonly state: 'read'; readonly entries: readonly AuthEntry[] }

export type AwsAuth = { readonly [N in MapName]: AuthSection }

export const entriesOf = (auth: AwsAuth, name: MapName): readonly AuthEntry[] => {
  const section = auth[name]
  return section.state === 'read' ? section.entries : []
}

/** `mapRoles[2]`. */
export const placeOf = ({ section, index }: Pick<AuthEntry, 'section' | 'index'>): string => `${section}[${index}]`

export type Fault =
  | { readonly message: 'section-not-text'; readonly data: { readonly section: string; readonly type: string } }
  | {
      readonly message: 'section-does-not-parse'
      readonly data: { readonly section: string; readonly line: number; readonly reason: string }
    }
  | { readonly message: 'section-not-a-list'; readonly data: { readonly section: string; readonly type: string } }
  | { readonly message: 'arn-missing'; readonly data: Place & { readonly key: string } }
  | {
      readonly message: 'role-path' | 'session-arn'
      readonly data: Place & { readonly written: string; readonly canonical: string }
    }
  | { readonly message: 'instance-profile' | 'wildcard'; readonly data: Place & { readonly written: string } }
  | { readonly message: 'placeholder-left'; readonly data: Place & { readonly value: string } }
  | { readonly message: 'username-empty'; readonly data: Place }
  | {
      readonly message: 'mapped-twice'
      readonly data: {
        readonly arn: string
        readonly first: string
        readonly second: string
        readonly username: string
      }
    }

type Place = { readonly section: string; readonly index: number }

/** In order of precedence. */
const order: readonly Fault['message'][] = [
  'section-not-text',
  'section-does-not-parse',
  'section-not-a-list',
  'arn-missing',
  'role-path',
  'instance-profile',
  'session-arn',
  'wildcard',
  'placeholder-left',
  'username-empty',
  'mapped-twice',
]

const rolePath = /^(arn:[^:*<>]*:iam::[^:*<>]*:role\/)[^*<>]*\/([^/*<>]+)$/i
const session = /^arn:([^:*<>]*):sts::([^:*<>]*):assumed-role\/([^/*<>]+)(?:\/.*)?$/i
const brackets = /<[^<>]{1,200}>/

/**
 * A caller is known by the ARN of its role without path: the ARN of its session, which STS reports, has none.
 * https://github.com/kubernetes-sigs/aws-iam-authenticator/blob/81b1dab/pkg/arn/arn.go
 */
export const withoutPath = (arn: string): string => {
  const [, head, name] = rolePath.exec(arn) ?? []
  return head === undefined || name === undefined ? arn : `${head}${name}`
}

function entryFault(entry: AuthEntry): Fault | undefined {
  const { section, index, arn, username, groups } = entry
  const place = { section, index }
  if (section === 'mapAccounts') return undefined
  const left = [arn ?? '', username ?? '', ...groups].flatMap((text) => brackets.exec(text)?.[0] ?? [])[0]
  if (arn === undefined)
    return entry.sso ? undefined : { message: 'arn-missing', data: { ...place, key: arnKeys[section] } }
  const written = arn
  const canonical = withoutPath(arn)
  if (section === 'mapRoles' && canonical !== arn)
    return { message: 'role-path', data: { ...place, written, canonical } }
  if (/:instance-profile\//i.test(arn)) return { message: 'instance-profile', data: { ...place, written } }
  const [, partition, account, role] = session.exec(arn) ?? []
  if (partition !== undefined && account !== undefined && role !== undefined)
    return {
      message: 'session-arn',
      data: { ...place, written, canonical: `arn:${partition}:iam::${account}:role/${role}` },
    }
  if (arn.includes('*')) return { message: 'wildcard', data: { ...place, written } }
  if (left !== undefined) return { message: 'placeholder-left', data: { ...place, value: left } }
  // One that is left out is read as an empty one: core APIs take such a caller, and aggregated ones refuse.
  return (username ?? '').trim() === '' ? { message: 'username-empty', data: place } : undefined
}

/** Entries are kept by their ARN in lower case, roles before users, so a later one takes the place of an earlier. */
function duplicates(auth: AwsAuth): readonly Fault[] {
  const first = new Map<string, AuthEntry>()
  const found: Fault[] = []
  for (const entry of [...entriesOf(auth, 'mapRoles'), ...entriesOf(auth, 'mapUsers')]) {
    if (entry.arn === undefined || entryFault(entry) !== undefined) continue
    const key = entry.arn.toLowerCase()
    const before = first.get(key)
    if (before === undefined) first.set(key, entry)
    else if (before.username !== entry.username || before.groups.join() !== entry.groups.join())
      found.push({
        message: 'mapped-twice',
        data: {
          arn: entry.arn,
          first: placeOf(before),
          second: placeOf(entry),
          username: entry.username === undefined ? 'left out' : entry.username,
        },
      })
  }
  return found
}

/** Everything that keeps a section or an entry from matching, the gravest first. Pure. */
export function awsAuthFaults(auth: AwsAuth): readonly Fault[] {
  const found: Fault[] = mapNames.flatMap((section): readonly Fault[] => {
    const read = auth[section]
    if (read.state === 'read') return read.entries.flatMap((entry) => entryFault(entry) ?? [])
    if (read.state === 'not-text') return [{ message: 'section-not-text', data: { section, type: read.type } }]
    if (read.state === 'not-a-list') return [{ message: 'section-not-a-list', data: { section, type: read.type } }]
    return read.state === 'left-out'
      ? []
      : [{ message: 'section-does-not-parse', data: { section, line: read.line, reason: read.reason } }]
  })
  found.push(...duplicates(auth))
  return found.sort((a, b) => order.indexOf(a.message) - order.indexOf(b.message))
}
