/** A member that follows no grammar, written as its author can only have meant it; never as more than the one that it named. */
import { faultOfMember, type MemberFault, principalOf, readLegacyMember, readPoolMember } from './gcp-members.ts'

/** What is known of projects and pools around the member. */
export type Lore = {
  readonly numberOf: (project: string) => string | undefined
  readonly projectOf: (number: string) => string | undefined
  /** Whether the one provider of a pool maps the subject of Kubernetes as it stands. */
  readonly keepsSubject: (number: string, pool: string) => boolean
}

/** The project whose pool it is; only a pool of GKE or of a fleet has it in its name. */
export const projectOfPool = (pool: string): string | undefined =>
  /^([a-z][a-z0-9-]{4,28}[a-z0-9])\.svc\.id\.goog$/.exec(pool)?.[1]

/** The number of the project whose pool a member names. */
function numberOfPool(pool: string, lore: Lore): string | undefined {
  const project = projectOfPool(pool)
  return project === undefined ? undefined : lore.numberOf(project)
}

/** What is wrong with a member by its grammar, or by the number of its project, which is not that of its pool: such a pool there cannot be. */
export function faultIn(member: string, lore: Lore): MemberFault | undefined {
  const fault = faultOfMember(member)
  const one = readPoolMember(member)
  if (fault !== undefined || one === undefined) return fault
  const expected = numberOfPool(one.pool, lore)
  if (expected === undefined || expected === one.number) return undefined
  const data = { member, observed: one.number, expected, pool: one.pool, selector: one.selector, placeholder: '' }
  return { message: 'id-for-project-number', data }
}

const ofServiceAccount = /^system:serviceaccount:([^:/]+):([^:/]+)$/

/** Both brackets, or one of them, in another place; only where the three names are plain. */
function inBrackets(member: string): string | undefined {
  const [, pool, namespace, name] =
    /^serviceAccount:([a-z0-9.:-]+\.svc\.id\.goog)\[?\/?([a-z0-9-]+)[\]/:]+([a-z0-9.-]+)\]?$/.exec(member) ?? []
  return pool === undefined ? undefined : `serviceAccount:${pool}[${namespace}/${name}]`
}

function guess(member: string, lore: Lore): string | undefined {
  const legacy = readLegacyMember(member)
  const fault = faultIn(member, lore)
  const one = readPoolMember(member)
  switch (fault?.message) {
    case 'brackets-misplaced':
      return inBrackets(member)
    case 'number-for-project-id': {
      const project = lore.projectOf(fault.data.observed)
      return legacy === undefined || project === undefined
        ? undefined
        : `serviceAccount:${project}.svc.id.goog[${legacy.namespace}/${legacy.name}]`
    }
    case 'id-for-project-number': {
      const number = lore.numberOf(fault.data.observed) ?? (one && numberOfPool(one.pool, lore))
      return number === undefined ? undefined : member.replace(/\/projects\/[^/]+\//, `/projects/${number}/`)
    }
    case 'many-for-one':
      return member.replace(/^principalSet:/, 'principal:')
    case 'prefix-misspelt':
      return fault.data.expected === 'principal://' ? member.replace(/^[\w-]+:/, 'principal:') : undefined
    case 'other-subject-in-gke-pool': {
      const [, namespace, name] = ofServiceAccount.exec(fault.data.observed) ?? []
      return one === undefined || namespace === undefined
        ? undefined
        : principalOf(one.number, one.pool, `ns/${namespace}/sa/${name}`)
    }
    case 'gke-subject-in-other-pool': {
      const [, namespace, name] = /^subject\/ns\/([^/]+)\/sa\/([^/]+)$/.exec(one?.selector ?? '') ?? []
      return one === undefined || namespace === undefined || !lore.keepsSubject(one.number, one.pool)
        ? undefined
        : principalOf(one.number, one.pool, `system:serviceaccount:${namespace}:${name}`)
    }
    default:
      return undefined
  }
}

/** Undefined where what is known does not determine it, or where it would name a set. */
export function mended(member: string, lore: Lore): string | undefined {
  const next = guess(member, lore)
  return next === undefined || next.startsWith('principalSet:') || faultIn(next, lore) !== undefined ? undefined : next
}
