/** The policies that decide whether a ServiceAccount may act as a Google service account. */
import { absent, defineProbe, type Fact, type Inquiry, known, reading, unknown } from '../../core/fact.ts'
import { type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { projectOf } from '../../domain/gcp-callers.ts'
import { type Configuration, fleetPool, impersonates } from '../../domain/gcp-credentials.ts'
import { projectOfPool } from '../../domain/gcp-member-repairs.ts'
import type { Mapped, Workload } from '../../domain/gcp-members.ts'
import { nameOfResource, type Policy, readPolicy } from '../../domain/gcp-policies.ts'
import { gcp } from '../../domain/questions.ts'
import { clock } from '../cluster/clock.ts'
import { type GoogleAccount, googleAccount, openIn } from './account.ts'
import { configurationOf, type Federation, googleFederation } from './federation.ts'
import { heardFor } from './heard.ts'
import { heardOf, orderOnGke, type Proof, proofOf } from './proof.ts'
import { projectNumber } from './world.ts'

export type Impersonation = {
  readonly google: GoogleAccount
  readonly federation?: Federation
  /** The account that it acts as. */
  readonly email: string
  readonly workload?: Workload
  /** What was not seen of the pool, and of the project that it is of. */
  readonly open: Fact<unknown>
  readonly policy: Fact<Policy>
  /** Of the project of the account; absent where nobody has to look there. */
  readonly project: Fact<Policy>
  /** By custom role, what it holds; a role that was not seen is left out. */
  readonly roles: { readonly [role: string]: readonly string[] }
  readonly now: Fact<number>
  /** Grants of the last minutes; absent where no refusal makes them matter. */
  readonly recent: Fact<readonly { readonly member: string; readonly time: string }[]>
  /** What Google said to a token that was minted for this; absent where none could be. */
  readonly proof: Fact<Proof>
}

const textOf = (value: { readonly state: string; readonly value?: Json } | undefined): string | undefined =>
  typeof value?.value === 'string' ? value.value : undefined

/** What the provider makes of the token, for members of its pool. */
export function mappedOf(federation: Federation | undefined): Mapped | undefined {
  if (federation?.provider.state !== 'known' || federation.evaluated.state !== 'known') return undefined
  const { pool, number } = federation.provider.value
  const { mapped } = federation.evaluated.value
  const attributes: { [name: string]: string } = {}
  for (const [key, outcome] of Object.entries(mapped)) {
    const text = key.startsWith('attribute.') && outcome.state === 'value' ? textOf(outcome) : undefined
    if (text !== undefined) attributes[key.slice('attribute.'.length)] = text
  }
  const subject = mapped['google.subject']
  const text = subject?.state === 'value' ? textOf(subject) : undefined
  const groups = mapped['google.groups']
  return {
    pool,
    number,
    ...(text === undefined ? {} : { subject: text }),
    groups: groups?.state === 'value' ? textsAt({ groups: groups.value }, 'groups') : [],
    attributes,
  }
}

/** In a fleet the pool of its host project counts, and not that of the cluster. */
const ofFleet = ({ namespace, name, uid }: Workload, pool: string, number: Fact<string>): Workload => ({
  namespace,
  name,
  pool,
  ...(uid === undefined ? {} : { uid }),
  ...(number.state === 'known' ? { number: number.value } : {}),
})

async function fleetConfiguration(google: GoogleAccount, ask: Inquiry['ask']): Promise<Configuration | undefined> {
  if (google.annotation !== undefined) return undefined
  const found = await configurationOf(google, google.pods, ask)
  return found !== undefined && fleetPool(found) !== undefined ? found : undefined
}

export const policyFact = (fact: Fact<Json>, resource: string): Fact<Policy> =>
  reading(fact, (json) => readPolicy(resource, json))

/** Absent where the workload acts as nobody but itself: without annotation, impersonation URL, or a refusal that says so. */
export const googleImpersonation = defineProbe({
  id: 'gcp/impersonation',
  about: 'the policies of the Google service account',
  scope: 'service-account',
  needs: { googleAccount },
  wants: { googleFederation, clock },
  only: 'googleAccount',
  ask: async ({ googleAccount }, { googleFederation, clock }, { ask }): Promise<Fact<Impersonation>> => {
    const federation = googleFederation.state === 'known' ? googleFederation.value : undefined
    const { world, workload: own, email: annotated } = googleAccount.value
    const cluster = world.cluster.state === 'known' ? world.cluster.value : undefined
    const order =
      own === undefined || cluster === undefined || annotated === undefined
        ? undefined
        : orderOnGke(own, cluster, annotated)
    // What is exchanged on GKE, the cluster says.
    const unseen = own !== undefined && annotated !== undefined && world.cluster.state === 'unknown'
    const proof: Fact<Proof> =
      federation?.named !== undefined ? federation.proof : unseen ? world.cluster : await proofOf(order, ask)
    const google = { ...googleAccount.value, heard: [...heardOf(proof), ...googleAccount.value.heard] }
    const refusals = heardFor(google.heard, 'gcp/service-account-admits-workload')
    const configuration = federation?.configuration ?? (await fleetConfiguration(google, ask))
    const fleet = configuration === undefined ? undefined : fleetPool(configuration)
    const inText = refusals.map(({ values }) => values.account).find((one) => one !== undefined && one !== 'default')
    const of = world.policies.map(({ resource }) => resource).filter((one) => one.startsWith('serviceAccounts/'))
    const only = refusals.length > 0 && of.length === 1 ? nameOfResource(of[0] ?? '') : undefined
    const email =
      google.email ??
      (configuration === undefined ? undefined : impersonates(configuration)) ??
      google.account?.annotations['cloud.google.com/service-account-email'] ??
      inText ??
      only
    if (email === undefined && refusals.length === 0) return absent(gcp.collected())
    const unnamed = unknown(
      'not-collected',
      'which Google service account it should act as was not seen',
      gcp.serviceAccountPolicy('ACCOUNT'),
    )
    const policy =
      email === undefined ? unnamed : policyFact(await ask(gcp.serviceAccountPolicy(email)), `serviceAccounts/${email}`)
    const id = email === undefined ? undefined : projectOf(email)
    const ofProject = world.policies.filter(({ resource }) => resource.startsWith('projects/'))
    const [first] = ofProject
    const project: Fact<Policy> =
      id !== undefined
        ? policyFact(await ask(gcp.projectPolicy(id)), `projects/${id}`)
        : first !== undefined && ofProject.length === 1
          ? known(first, gcp.projectPolicy(nameOfResource(first.resource)))
          : absent(gcp.collected())
    const bound = [policy, project].flatMap((fact) => (fact.state === 'known' ? fact.value.bindings : []))
    const roles: { [role: string]: readonly string[] } = {}
    for (const { role } of bound) {
      if (role.startsWith('roles/') || role in roles) continue
      const fact = await ask(gcp.role(role))
      if (fact.state === 'known') roles[role] = textsAt(fact.value, 'includedPermissions')
    }
    const recent: Impersonation['recent'] =
      refusals.length === 0
        ? absent(gcp.collected())
        : reading(await ask(gcp.logs()), (json) =>
            listAt(json, 'granted').flatMap((one) => {
              const member = textAt(one, 'member')
              const time = textAt(one, 'time')
              return member === undefined || time === undefined ? [] : [{ member, time }]
            }),
          )
    const host = fleet === undefined ? undefined : projectOfPool(fleet)
    const number = host === undefined ? world.number : await projectNumber(host, ask)
    const mapped = mappedOf(federation)
    const workload: Workload | undefined =
      google.workload === undefined
        ? undefined
        : fleet !== undefined
          ? ofFleet(google.workload, fleet, number)
          : mapped === undefined
            ? google.workload
            : { ...google.workload, mapped }
    return known(
      {
        google,
        ...(federation === undefined ? {} : { federation }),
        email: email ?? '',
        ...(workload === undefined ? {} : { workload }),
        open: openIn({ cluster: fleet === undefined ? world.cluster : absent(gcp.collected()), number }),
        policy,
        project,
        roles,
        now: clock,
        recent,
        proof,
      },
      policy.from,
    )
  },
})
