/** The IAM policies that are judged by themselves, member by member, with what is known of the projects that members name. */
import { absent, defineProbe, type Fact, type Inquiry, known } from '../../core/fact.ts'
import { projectOf } from '../../domain/gcp-callers.ts'
import { type Lore, projectOfPool } from '../../domain/gcp-member-repairs.ts'
import { readPoolMember } from '../../domain/gcp-members.ts'
import { grantsOf, type Policy } from '../../domain/gcp-policies.ts'
import { gcp } from '../../domain/questions.ts'
import { type Heard, heardFor } from './heard.ts'
import { policyFact } from './policies.ts'
import { googleWorld, projectNumber, type World } from './world.ts'

export type Members = {
  readonly world: World
  readonly policy: Fact<Policy>
  readonly resource: string
  readonly lore: Lore
  /** Of the projects whose pools of GKE its members name, the first number that was not seen. */
  readonly open?: Fact<string>
  readonly heard: readonly Heard[]
}

/** What the folder, or Google, tells of the projects and pools that members name. */
const loreOf = ({ cluster, number: ofCluster, providers }: World, numbers: ReadonlyMap<string, Fact<string>>): Lore => {
  const own = cluster.state === 'known' ? cluster.value.project : undefined
  const pairs = [...numbers, ...(own === undefined ? [] : [[own, ofCluster] as const])].flatMap(([id, fact]) =>
    fact.state === 'known' ? [{ id, number: fact.value }] : [],
  )
  return {
    numberOf: (project) => pairs.find(({ id }) => id === project)?.number,
    projectOf: (told) => pairs.find(({ number }) => number === told)?.id,
    keepsSubject: (told, pool) => {
      const [one, ...others] = providers.filter((provider) => provider.number === told && provider.pool === pool)
      return one?.mapping['google.subject'] === 'assertion.sub' && others.length === 0
    },
  }
}

/** Those in whose pools of GKE somebody is named. */
const projectsIn = (policy: Policy): readonly string[] => [
  ...new Set(grantsOf(policy).flatMap(({ member }) => projectOfPool(readPoolMember(member)?.pool ?? '') ?? [])),
]

const numbersOf = async (
  projects: readonly string[],
  ask: Inquiry['ask'],
): Promise<ReadonlyMap<string, Fact<string>>> => {
  const numbers = new Map<string, Fact<string>>()
  for (const project of new Set(projects)) numbers.set(project, await projectNumber(project, ask))
  return numbers
}

const kinds: { readonly [kind: string]: string } = {
  GoogleServiceAccount: 'serviceAccounts',
  GoogleProject: 'projects',
  Bucket: 'buckets',
}

/** The policy of the account, project or bucket that is judged; for the cluster, what was heard without one. */
export const googleMembers = defineProbe({
  id: 'gcp/members',
  about: 'the members of an IAM policy',
  scope: 'object',
  needs: { googleWorld },
  wants: {},
  only: 'googleWorld',
  ask: async ({ googleWorld }, _want, { subject, ask }): Promise<Fact<Members>> => {
    const world = googleWorld.value
    const heard = heardFor(world.heard, 'gcp/iam-members-are-well-formed')
    const none = absent(gcp.collected())
    if (subject.kind === 'Cluster')
      return heard.length > 0
        ? known({ world, policy: none, resource: '', heard, lore: loreOf(world, new Map()) }, gcp.collected())
        : none
    const kind = kinds[subject.kind]
    if (kind === undefined) return none
    const { name } = subject
    const resource = `${kind}/${name}`
    const unnamed = world.policies.find((one) => one.resource === 'unnamed/')
    const policy =
      kind === 'serviceAccounts'
        ? name === 'service account' && unnamed !== undefined
          ? known(unnamed, gcp.collected())
          : policyFact(await ask(gcp.serviceAccountPolicy(name)), resource)
        : kind === 'projects'
          ? policyFact(await ask(gcp.projectPolicy(name)), resource)
          : policyFact(await ask(gcp.bucketPolicy(name)), resource)
    const ofPools = policy.state === 'known' ? projectsIn(policy.value) : []
    // The project of an account stands in its e-mail; its number is written in members only.
    const own = projectOf(name)
    const numbers = await numbersOf(own === undefined ? ofPools : [...ofPools, own], ask)
    const open = ofPools.map((project) => numbers.get(project)).find((number) => number?.state !== 'known')
    const lore = loreOf(world, numbers)
    return known({ world, policy, resource, lore, heard: [], ...(open === undefined ? {} : { open }) }, policy.from)
  },
})
