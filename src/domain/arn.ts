/** Role ARNs as the pod identity webhook and IAM read them, and what is wrong with one that is none. */

export type RoleArn = {
  readonly partition: string
  /** 12 digits. */
  readonly account: string
  /** `/` or `/team/…/`. */
  readonly path: string
  readonly name: string
}

/** A mismatch is only logged, and the value injected: https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/cache/cache.go */
const webhookPattern = /^arn:aws[a-z0-9-]*:iam::\d{12}:role\/[\w\-/.@+=,]+$/

/** The parts of a well-formed role ARN; undefined for anything else. */
export function parseRoleArn(value: string): RoleArn | undefined {
  if (value.length > 2048 || !webhookPattern.test(value)) return undefined
  const [, partition = '', , , account = '', resource = ''] = value.split(':')
  const cut = resource.lastIndexOf('/')
  const name = resource.slice(cut + 1)
  return name === '' ? undefined : { partition, account, path: resource.slice('role'.length, cut + 1), name }
}

export type Caller = {
  readonly kind: 'session' | 'user'
  readonly account: string
  /** Of the role, without path (a session ARN has none), or of the user. */
  readonly name: string
  /** Of a session only. */
  readonly session?: string
}

/** Who stands in a denial: `arn:aws:sts::ACCOUNT:assumed-role/ROLE/SESSION` or `arn:aws:iam::ACCOUNT:user/…/NAME`. */
export function parseCaller(arn: string): Caller | undefined {
  const session = /^arn:aws[a-z0-9-]*:sts::([^:]*):assumed-role\/([^/]+)\/([^/]+)$/.exec(arn)
  if (session) return { kind: 'session', account: session[1] ?? '', name: session[2] ?? '', session: session[3] ?? '' }
  const user = /^arn:aws[a-z0-9-]*:iam::([^:]*):user\/(.+)$/.exec(arn)
  if (user) return { kind: 'user', account: user[1] ?? '', name: user[2]?.split('/').at(-1) ?? '' }
  return undefined
}

/** Regions are named after their partition: https://docs.aws.amazon.com/general/latest/gr/rande.html */
const partitions = [
  ['cn-', 'aws-cn'],
  ['us-gov-', 'aws-us-gov'],
  ['us-iso-', 'aws-iso'],
  ['us-isob-', 'aws-iso-b'],
  ['eu-isoe-', 'aws-iso-e'],
  ['us-isof-', 'aws-iso-f'],
  ['eusc-', 'aws-eusc'],
] as const

/** The partition of an AWS region; undefined for a region that is not named like one of AWS. */
export function partitionOfRegion(region: string): string | undefined {
  if (!/^[a-z]{2,4}-(?:[a-z]+-)+\d{1,2}$/.test(region)) return undefined
  return partitions.find(([prefix]) => region.startsWith(prefix))?.[1] ?? 'aws'
}

/** The partition that a host of AWS belongs to, as far as its name tells. */
export function partitionOfHost(host: string): string | undefined {
  if (!/(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(host)) return undefined
  if (host.endsWith('.cn')) return 'aws-cn'
  return host.split('.').some((word) => word.startsWith('us-gov-')) ? 'aws-us-gov' : 'aws'
}

/** Why a value is no role ARN, the first that holds; a union on `fault`, with the data that its sentence needs. */
export type RoleArnFault =
  | { readonly fault: 'placeholder-left'; readonly data: { readonly value: string; readonly placeholder: string } }
  | { readonly fault: 'stray-character'; readonly data: { readonly value: string; readonly character: string } }
  | { readonly fault: 'name-only'; readonly data: { readonly value: string } }
  | { readonly fault: 'instance-profile'; readonly data: { readonly value: string } }
  | { readonly fault: 'session-arn'; readonly data: { readonly value: string; readonly expected: string } }
  | { readonly fault: 'account-malformed'; readonly data: { readonly value: string } }
  | {
      readonly fault: 'malformed'
      readonly data: { readonly value: string; readonly part: string; readonly expected: string }
    }

const placeholder = /<[^<>]{0,200}>|\$\{[^{}]{0,200}\}|\$\([^()]{0,200}\)|\{\{[^{}]{0,200}\}\}|\$[A-Za-z_]\w{0,100}/

const characters: { readonly [character: string]: string } = {
  ' ': 'a space',
  '\t': 'a tab',
  '\n': 'a line end',
  '\r': 'a carriage return',
  '"': 'a double quote',
  "'": 'a single quote',
  '`': 'a backtick',
  '\\': 'a backslash',
  '?': 'a question mark',
}

const strayCharacter = (value: string): string | undefined => {
  const found = /[\s"'`\\?\u200b-\u200d\u2060\u2018\u2019\u201c\u201d]/.exec(value)?.[0]
  if (found === undefined) return undefined
  return characters[found] ?? `the character U+${found.charCodeAt(0).toString(16).toUpperCase().padStart(4, '0')}`
}

/** In one bounded line; white space and quotes made visible. */
const shown = (value: string): string => {
  const short = value.length > 300 ? `${value.slice(0, 300)}…` : value
  return /[\s"'\\\u200b-\u200d\u2060]/.test(short) ? JSON.stringify(short) : short
}

/** What is wrong with this value of a role annotation; undefined where it is a role ARN. Pure, and linear in the value's length. */
export function roleArnFault(value: string): RoleArnFault | undefined {
  const said = shown(value)
  const left = placeholder.exec(value.slice(0, 4096))?.[0]
  if (left !== undefined) return { fault: 'placeholder-left', data: { value: said, placeholder: left } }
  const character = strayCharacter(value)
  if (character !== undefined) return { fault: 'stray-character', data: { value: said, character } }
  if (parseRoleArn(value) !== undefined) return undefined
  if (!value.includes(':')) return { fault: 'name-only', data: { value: said } }
  const [prefix = '', partition = '', service = '', region = '', account = '', ...rest] = value.split(':')
  const resource = rest.join(':')
  if (service === 'iam' && resource.startsWith('instance-profile/'))
    return { fault: 'instance-profile', data: { value: said } }
  if (service === 'sts' && resource.startsWith('assumed-role/')) {
    const name = resource.split('/')[1] || 'ROLE'
    return {
      fault: 'session-arn',
      data: {
        value: said,
        expected: `arn:${partition}:iam::${/^\d{12}$/.test(account) ? account : 'ACCOUNT'}:role/${name}`,
      },
    }
  }
  const malformed = (part: string, expected: string): RoleArnFault => ({
    fault: 'malformed',
    data: { value: said, part: part === '' ? 'the empty part' : part, expected },
  })
  if (prefix !== 'arn') return malformed(prefix, 'arn')
  if (!/^aws[a-z0-9-]*$/.test(partition)) return malformed(partition, 'aws, aws-cn or aws-us-gov')
  if (service !== 'iam') return malformed(service, 'iam')
  // With one colon too few or a region in it, everything behind stands one place off.
  if (/^\d{12}$/.test(region)) return malformed(`iam:${region}`, `iam::${region}`)
  if (region !== '') return malformed(`iam:${region}:`, 'iam::')
  if (!/^\d{12}$/.test(account)) return { fault: 'account-malformed', data: { value: said } }
  const name = resource.split(/[/:]/).at(-1) || 'NAME'
  if (!resource.startsWith('role/')) return malformed(resource, `role/${name}`)
  if (resource.endsWith('/')) return malformed(resource, `${resource}NAME`)
  return malformed(resource, 'letters, digits and _+=,.@- only, with / between the parts of a path')
}
