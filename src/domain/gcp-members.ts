/** Members of Google's IAM policies: their grammar, what is wrong with one, and every form in which one workload may be named. */

/** Project number, pool and selector of a `principal://` or `principalSet://`. */
export type PoolMember = {
  readonly kind: 'principal' | 'principalSet'
  readonly number: string
  readonly pool: string
  readonly selector: string
}
/** `serviceAccount:POOL[NAMESPACE/NAME]`, the older form of GKE. */
export type LegacyMember = { readonly pool: string; readonly namespace: string; readonly name: string }

const poolMember =
  /^(principal|principalSet):\/\/iam\.googleapis\.com\/projects\/(\d+)\/locations\/global\/workloadIdentityPools\/([^/]+)\/(.+)$/
const legacyMember = /^serviceAccount:([^[]+)\[([^/]+)\/([^\]]+)\]$/
const plainAccount = /^serviceAccount:([^[\]?/]+@[^[\]?/]+)$/
const deletedAccount = /^deleted:serviceAccount:([^?]+)\?uid=(\d+)$/

export function readPoolMember(member: string): PoolMember | undefined {
  const [, kind, number = '', pool = '', selector = ''] = poolMember.exec(member) ?? []
  return kind === undefined
    ? undefined
    : { kind: kind === 'principal' ? 'principal' : 'principalSet', number, pool, selector }
}
export function readLegacyMember(member: string): LegacyMember | undefined {
  const [, pool, namespace = '', name = ''] = legacyMember.exec(member) ?? []
  return pool === undefined ? undefined : { pool, namespace, name }
}
/** The e-mail of a plain service account. */
export const accountOfMember = (member: string): string | undefined => plainAccount.exec(member)?.[1]
/** What IAM makes of a member whose account was deleted. */
export function readDeleted(member: string): { readonly email: string; readonly uid: string } | undefined {
  const [, email, uid = ''] = deletedAccount.exec(member) ?? []
  return email === undefined ? undefined : { email, uid }
}

/** Pools of GKE and of fleets have dots in their names, and never fit the rule of other pools. */
export const isGkePool = (pool: string): boolean => pool.includes('.')

const poolPath = (number: string, pool: string): string =>
  `//iam.googleapis.com/projects/${number}/locations/global/workloadIdentityPools/${pool}`

/** `principal://…/subject/…`; NUMBER stands for a project number that was not seen. */
export const principalOf = (number: string | undefined, pool: string, subject: string): string =>
  `principal:${poolPath(number ?? 'NUMBER', pool)}/subject/${subject}`

export type Workload = {
  readonly namespace: string
  readonly name: string
  readonly uid?: string
  /** The pool of its cluster, as the cluster prints it. */
  readonly pool?: string
  readonly number?: string
  /** `https://container.googleapis.com/v1/projects/…/clusters/…`. */
  readonly cluster?: string
  /** What the provider of another pool maps its token to. */
  readonly mapped?: Mapped
}
export type Mapped = {
  readonly pool: string
  readonly number: string
  readonly subject?: string
  readonly groups: readonly string[]
  readonly attributes: { readonly [name: string]: string }
}

/** How a member of this workload reads: the legacy form for GKE, the subject for other pools. */
export function memberFor({ namespace, name, pool, mapped }: Workload): string {
  if (mapped?.subject !== undefined) return principalOf(mapped.number, mapped.pool, mapped.subject)
  return `serviceAccount:${pool ?? 'PROJECT_ID.svc.id.goog'}[${namespace}/${name}]`
}

/** Whether the member is this workload; undefined where something that was not seen decides. Values are compared with case. */
export function admits(member: string, workload: Workload): boolean | undefined {
  const legacy = readLegacyMember(member)
  if (legacy !== undefined) {
    if (legacy.namespace !== workload.namespace || legacy.name !== workload.name) return false
    // Whoever comes through a provider has the name that it gives, and no other.
    if (workload.mapped !== undefined) return false
    return workload.pool === undefined ? undefined : legacy.pool === workload.pool
  }
  const one = readPoolMember(member)
  return one === undefined ? false : isGkePool(one.pool) ? ofGke(one, workload) : ofProvider(one, workload)
}

function ofGke({ number, pool, selector }: PoolMember, workload: Workload): boolean | undefined {
  const { namespace, name, uid } = workload
  if (workload.mapped !== undefined) return false
  if (workload.number !== undefined && workload.number !== number) return false
  if (workload.pool !== undefined && workload.pool !== pool) return false
  const open = workload.pool === undefined || workload.number === undefined ? undefined : true
  if (selector === '*' || selector === `subject/ns/${namespace}/sa/${name}` || selector === `namespace/${namespace}`)
    return open
  if (selector.startsWith('kubernetes.serviceaccount.uid/'))
    return uid === undefined ? undefined : selector.endsWith(`/${uid}`) && open
  if (selector.startsWith('kubernetes.cluster/'))
    return workload.cluster === undefined ? undefined : selector.endsWith(`/${workload.cluster}`) && open
  return false
}

function ofProvider({ number, pool, selector }: PoolMember, { mapped }: Workload): boolean | undefined {
  if (mapped === undefined) return undefined
  if (mapped.pool !== pool || mapped.number !== number) return false
  if (selector === '*') return true
  const [kind = '', ...rest] = selector.split('/')
  const value = rest.join('/')
  if (kind === 'subject') return mapped.subject === undefined ? undefined : mapped.subject === value
  if (kind === 'group') return mapped.groups.includes(value)
  return kind.startsWith('attribute.') && mapped.attributes[kind.slice('attribute.'.length)] === value
}

/** The ServiceAccount that a member plainly names, whatever its pool. */
export function namedBy(
  member: string,
): { readonly namespace: string; readonly name: string; readonly pool: string } | undefined {
  const legacy = readLegacyMember(member)
  if (legacy !== undefined) return legacy
  const one = readPoolMember(member)
  if (one === undefined) return undefined
  const [, namespace, name] =
    /^subject\/(?:ns\/([^/]+)\/sa\/([^/]+)|system:serviceaccount:([^:]+):([^:]+))$/
      .exec(one.selector)
      ?.filter((part) => part !== undefined) ?? []
  return namespace === undefined || name === undefined ? undefined : { namespace, name, pool: one.pool }
}

export type MemberFault = {
  readonly message:
    | 'brackets-misplaced'
    | 'number-for-project-id'
    | 'id-for-project-number'
    | 'pool-id-alone'
    | 'one-for-many'
    | 'many-for-one'
    | 'prefix-misspelt'
    | 'gke-subject-in-other-pool'
    | 'other-subject-in-gke-pool'
    | 'placeholder-left'
  readonly data: {
    readonly member: string
    readonly observed: string
    readonly expected: string
    readonly pool: string
    readonly selector: string
    readonly placeholder: string
  }
}

const placeholders =
  /\{\{[^}]*\}\}|<[^>]*>|\$\{[^}]*\}|\$[A-Z_]{2,}|(?<=[/:[]|^)(?:[A-Z]+_[A-Z_]+|NAMESPACE|PROJECT|NUMBER|POOL|SUBJECT|KSA|GSA|SERVICEACCOUNT)(?=[/\].]|$)/

/** What is wrong with a member that ought to name a workload; undefined where nothing is, or where it names somebody else. */
export function faultOfMember(member: string): MemberFault | undefined {
  const fault = (message: MemberFault['message'], more: Partial<MemberFault['data']> = {}): MemberFault => ({
    message,
    data: { member, observed: '', expected: '', pool: '', selector: '', placeholder: '', ...more },
  })
  if (member.startsWith('deleted:')) return undefined
  const looksOurs = /workloadIdentityPools|svc\.id\.goog|^princip/i.test(member)
  if (!looksOurs) return undefined
  const placeholder = placeholders.exec(member)?.[0]
  if (placeholder !== undefined) return fault('placeholder-left', { placeholder })
  const [prefix = ''] = member.split(':')
  if (!['principal', 'principalSet', 'serviceAccount'].includes(prefix)) {
    const expected = /set$/i.test(prefix)
      ? 'principalSet://'
      : /^princ/i.test(prefix)
        ? 'principal://'
        : member.includes('[')
          ? 'serviceAccount:'
          : 'principal:// or principalSet://'
    return fault('prefix-misspelt', { observed: /^[\w-]+:\/\//.exec(member)?.[0] ?? prefix, expected })
  }
  if (prefix === 'serviceAccount') return faultOfLegacy(member, fault)
  const path = member.slice(prefix.length + 1)
  if (!/^\/\/iam\.googleapis\.com\//.test(path)) {
    const [, pool] = /^\/\/([a-z0-9.-]{4,63})(?:\/|$)/.exec(path) ?? []
    return pool !== undefined && !path.includes('workloadIdentityPools')
      ? fault('pool-id-alone', { pool })
      : fault('prefix-misspelt', {
          observed: `${prefix}:${path.slice(0, 24)}`,
          expected: `${prefix}://iam.googleapis.com/`,
        })
  }
  const [, project = ''] = /\/projects\/([^/]*)\//.exec(path) ?? []
  if (project === '') {
    const pool = /workloadIdentityPools\/([^/]+)/.exec(path)?.[1] ?? path.split('/')[3] ?? ''
    return fault('pool-id-alone', { pool })
  }
  if (!/^\d+$/.test(project)) return fault('id-for-project-number', { observed: project })
  const one = readPoolMember(member)
  if (one === undefined) return undefined
  const { pool, selector } = one
  const single = /^(?:subject|kubernetes\.serviceaccount\.uid)\//.test(selector)
  const many = /^(?:namespace|kubernetes\.cluster|group|attribute\.[^/]+)\/|^\*$/.test(selector)
  if (one.kind === 'principal' && many) return fault('one-for-many', { selector })
  if (one.kind === 'principalSet' && single) return fault('many-for-one', { selector })
  const isGkeSubject = /^subject\/ns\/[^/]+\/sa\/[^/]+$/.test(selector)
  if (isGkeSubject && !isGkePool(pool)) return fault('gke-subject-in-other-pool', { pool })
  if (selector.startsWith('subject/') && isGkePool(pool) && !isGkeSubject)
    return fault('other-subject-in-gke-pool', { observed: selector.slice('subject/'.length), pool })
  return undefined
}

function faultOfLegacy(
  member: string,
  fault: (message: MemberFault['message'], more?: Partial<MemberFault['data']>) => MemberFault,
): MemberFault | undefined {
  if (!member.includes('svc.id.goog')) return undefined
  const legacy = readLegacyMember(member)
  if (legacy === undefined) return fault('brackets-misplaced')
  const number = /^(\d+)\.svc\.id\.goog$/.exec(legacy.pool)?.[1]
  return number === undefined ? undefined : fault('number-for-project-id', { observed: number })
}
