/** Google Cloud on the map: who may act as a Google service account, by its own policy. */
import type { Link } from '../core/identity-map.ts'
import { at, type Json, listAt, textAt } from '../core/json.ts'
import { googleAnnotation } from '../domain/audiences.ts'
import { projectOfPool } from '../domain/gcp-member-repairs.ts'
import { admits, namedBy, readPoolMember } from '../domain/gcp-members.ts'
import { type Grant, grantsOf, holdsAt, mayImpersonate, nameOfResource, readPolicy } from '../domain/gcp-policies.ts'
import { gcp, seen } from '../domain/questions.ts'
import type { ServiceAccount } from '../domain/workloads.ts'
import { isOpen } from '../probes/gcp/heard.ts'
import { projectNumber } from '../probes/gcp/world.ts'
import { type Ground, trustedBeside } from './map-ground.ts'

/** Grants that let somebody act as the account; undefined where its policy was not seen. */
type Held = {
  readonly email: string
  readonly grants: readonly Grant[] | undefined
  /** What its project grants could not be looked at. */
  readonly open: boolean
}

const emailOf = ({ annotations }: ServiceAccount): string | undefined =>
  annotations[googleAnnotation]?.trim() || undefined

const grantsIn = (policy: Json): readonly Grant[] =>
  grantsOf(readPolicy('', policy) ?? { resource: '', bindings: [] }).filter(
    ({ role }) => mayImpersonate(role, undefined) !== false,
  )

/** What is granted on the project holds for every account in it; undefined where that could not be looked at. */
async function onProject(ground: Ground, email: string): Promise<readonly Grant[] | undefined> {
  const project = /@([a-z0-9.:-]+)\.iam\.gserviceaccount\.com$/u.exec(email)?.[1]
  if (project === undefined) return []
  const fact = await ground.ask(gcp.projectPolicy(project))
  if (isOpen(fact)) ground.unseen(`what project ${project} grants on all its accounts was not seen`)
  return fact.state === 'known' ? grantsIn(fact.value) : isOpen(fact) ? undefined : []
}

async function accountsOf(ground: Ground): Promise<readonly Held[]> {
  const held = new Map<string, readonly Grant[] | undefined>()
  if (ground.documents) {
    const collected = await ground.ask(gcp.collected())
    for (const one of collected.state === 'known' ? listAt(collected.value, 'policies') : []) {
      const resource = textAt(one, 'resource') ?? ''
      if (resource.startsWith('serviceAccounts/'))
        held.set(nameOfResource(resource), grantsIn(at(one, 'policy') ?? null))
    }
  }
  for (const email of new Set(ground.accounts.flatMap((one) => emailOf(one) ?? []))) {
    if (held.has(email)) continue
    const fact = await ground.ask(gcp.serviceAccountPolicy(email))
    if (fact.state === 'unknown') ground.unseen(`who may act as ${email} was not seen: ${fact.detail}`)
    held.set(email, fact.state === 'known' ? grantsIn(fact.value) : fact.state === 'absent' ? [] : undefined)
  }
  return Promise.all(
    [...held].map(async ([email, grants]) => {
      const further = grants === undefined ? undefined : await onProject(ground, email)
      return { email, grants: grants && [...grants, ...(further ?? [])], open: further === undefined }
    }),
  )
}

/** Both must hold; undefined where one was not seen and the other does not exclude it. */
const both = (one: boolean | undefined, other: boolean | undefined): boolean | undefined =>
  one === false || other === false ? false : one === undefined || other === undefined ? undefined : true

type Place = {
  readonly pool: string | undefined
  /** Of the project of the pool. */
  readonly number: string | undefined
  readonly now: number | undefined
}

function ofAccount(ground: Ground, { email, grants, open }: Held, { pool, number, now }: Place): readonly Link[] {
  const isNamed = (who: ServiceAccount): boolean => emailOf(who) === email
  const base = (who: Pick<ServiceAccount, 'namespace' | 'name'>) =>
    ({
      namespace: who.namespace,
      name: who.name,
      ...ground.podsOf(who.namespace, who.name),
      cloud: 'gcp',
      identity: email,
      via: 'workload-identity',
    }) as const
  if (grants === undefined)
    return ground.accounts.filter(isNamed).map((who) => ({ ...base(who), state: 'unseen', trust: 'unseen' }))
  const found = ground.accounts.flatMap((who): readonly Link[] => {
    const { namespace, name, uid } = who
    const workload = {
      ...{ namespace, name },
      ...(uid === undefined ? {} : { uid }),
      ...(pool === undefined ? {} : { pool }),
      ...(number === undefined ? {} : { number }),
    }
    const told = grants.map(({ member, condition }) => ({
      member,
      admitted: both(admits(member, workload), condition === undefined ? true : holdsAt(condition, now)),
    }))
    const one =
      told.find(({ admitted }) => admitted === true) ??
      told.find(({ admitted, member }) => admitted === undefined && (isNamed(who) || namedBy(member)?.name === name))
    const none = open ? ({ state: 'unseen', trust: 'unseen' } as const) : ({ state: 'refused', trust: 'none' } as const)
    if (one === undefined) return isNamed(who) ? [{ ...base(who), ...none }] : []
    const state = isNamed(who) ? 'bound' : 'may'
    if (one.admitted === undefined) return [{ ...base(who), state, trust: 'conditional' }]
    return namedBy(one.member) === undefined
      ? [{ ...base(who), state, trust: 'wildcard', pattern: one.member }]
      : [{ ...base(who), state, trust: 'exact' }]
  })
  const others = grants.flatMap(({ member }): readonly Link[] => {
    const who = namedBy(member)
    if (who === undefined || (ground.namespace !== undefined && who.namespace !== ground.namespace)) return []
    const { pods: _, ...bare } = base(who)
    if (pool !== undefined && who.pool !== pool)
      return [{ ...bare, state: 'elsewhere', trust: 'exact', issuer: who.pool }]
    return trustedBeside(ground, who, { ...bare, trust: 'exact' })
  })
  return [...found, ...others]
}

/** The number that principals of the pool have in their names; asked for only where somebody grants to one. */
async function numberFor(ground: Ground, held: readonly Held[], pool: string | undefined): Promise<string | undefined> {
  const isOfPool = ({ member }: Grant): boolean => readPoolMember(member)?.pool === pool
  const project = pool === undefined ? undefined : projectOfPool(pool)
  if (project === undefined || !held.some(({ grants }) => grants?.some(isOfPool) === true)) return undefined
  const fact = await projectNumber(project, ground.ask)
  if (fact.state !== 'known')
    ground.unseen(`the number of project ${project} was not seen, so a member's number was not compared`)
  return fact.state === 'known' ? fact.value : undefined
}

/** Every link that policies of Google service accounts make; what was not seen of them is noted on the ground. */
export async function googleLinks(ground: Ground): Promise<readonly Link[]> {
  const held = await accountsOf(ground)
  if (held.length === 0) return []
  const cluster = await ground.ask(gcp.cluster())
  const pool = cluster.state === 'known' ? textAt(cluster.value, 'workloadIdentityConfig', 'workloadPool') : undefined
  if (pool === undefined)
    ground.unseen("the workload pool of the cluster was not seen, so a member's pool was not compared")
  const number = await numberFor(ground, held, pool)
  const time = await ground.ask(seen.now())
  const now = time.state === 'known' && typeof time.value === 'string' ? Date.parse(time.value) : undefined
  const links = held.flatMap((one) => ofAccount(ground, one, { pool, number, now }))
  if (links.some(({ state }) => state === 'refused'))
    ground.unseen(
      'what folders and the organization above the projects of Google grant was not seen; who is refused may be admitted there',
    )
  return links
}
