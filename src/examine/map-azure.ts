/** Azure on the map: federated credentials of the identities that ServiceAccounts name, and of all that were collected. */
import type { Link } from '../core/identity-map.ts'
import { type Json, listAt, textAt } from '../core/json.ts'
import { azureAudience, azureClientAnnotation } from '../domain/audiences.ts'
import { type Credential, partsOf, takesSubject } from '../domain/azure-credentials.ts'
import { azure } from '../domain/questions.ts'
import type { ServiceAccount } from '../domain/workloads.ts'
import { readCredential } from '../probes/azure/credentials.ts'
import { type Ground, trustedBeside } from './map-ground.ts'

type Held = { readonly identity: string; readonly credentials: readonly Credential[] | undefined }

const clientOf = ({ annotations }: ServiceAccount): string | undefined =>
  annotations[azureClientAnnotation]?.trim().toLowerCase() || undefined

const readAll = (value: Json): readonly Credential[] =>
  listAt(value, 'credentials').flatMap((one) => readCredential(one) ?? [])

/** Credentials by client id; a folder's are of whichever identity it says, or of the only one that is named. */
async function heldBy(ground: Ground): Promise<readonly Held[]> {
  const named = new Set(ground.accounts.flatMap((one) => clientOf(one) ?? []))
  const identities = named.size > 0 || ground.documents ? await ground.ask(azure.managedIdentities()) : undefined
  const clients = new Map<string, string>()
  for (const one of identities?.state === 'known' ? listAt(identities.value, 'identities') : []) {
    const client = textAt(one, 'clientId')?.toLowerCase()
    if (client !== undefined) clients.set(textAt(one, 'id')?.toLowerCase() ?? '', client)
  }
  if (ground.documents) {
    const all = await ground.ask(azure.federatedIdentityCredentials())
    if (all.state !== 'known') return [...named].map((identity) => ({ identity, credentials: undefined }))
    const [only] = named.size === 1 ? named : []
    const byOwner = new Map<string, Credential[]>()
    for (const one of readAll(all.value)) {
      const owner = (one.identity ?? '').toLowerCase()
      const client = clients.get(owner) ?? (owner === '' ? (only ?? '') : owner)
      byOwner.set(client, [...(byOwner.get(client) ?? []), one])
    }
    for (const one of named) if (!byOwner.has(one)) byOwner.set(one, [])
    return [...byOwner].map(([identity, credentials]) => ({ identity, credentials }))
  }
  return Promise.all(
    [...named].map(async (identity): Promise<Held> => {
      const fact = await ground.ask(azure.federatedIdentityCredentials(identity))
      if (fact.state === 'unknown') ground.unseen(`the credentials of ${identity} were not seen: ${fact.detail}`)
      return {
        identity,
        credentials: fact.state === 'known' ? readAll(fact.value) : fact.state === 'absent' ? [] : undefined,
      }
    }),
  )
}

function ofIdentity(ground: Ground, { identity, credentials }: Held): readonly Link[] {
  const { accounts, issuer } = ground
  const cloud = 'azure'
  const via = 'federation'
  const isNamed = (who: ServiceAccount): boolean => clientOf(who) === identity
  const base = (who: Pick<ServiceAccount, 'namespace' | 'name'>) =>
    ({
      namespace: who.namespace,
      name: who.name,
      ...ground.podsOf(who.namespace, who.name),
      cloud,
      identity,
      via,
    }) as const
  if (issuer === undefined && accounts.some(isNamed)) ground.needsIssuer()
  if (credentials === undefined || issuer === undefined)
    return accounts.filter(isNamed).map((who) => ({ ...base(who), state: 'unseen', trust: 'unseen' }))
  const here = credentials.filter((one) => one.issuer === issuer && one.audiences.includes(azureAudience))
  const found = accounts.flatMap((who): readonly Link[] => {
    const sub = `system:serviceaccount:${who.namespace}:${who.name}`
    const takes = here.map((one) => ({ one, takes: takesSubject(one, { sub, iss: issuer, aud: azureAudience }) }))
    const one = takes.find((each) => each.takes === true)?.one
    const state = isNamed(who) ? 'bound' : 'may'
    if (one !== undefined)
      return one.expression === undefined
        ? [{ ...base(who), state, trust: 'exact' }]
        : [{ ...base(who), state, trust: 'wildcard', pattern: one.expression }]
    if (!isNamed(who)) return []
    return takes.some((each) => each.takes === undefined)
      ? [{ ...base(who), state, trust: 'conditional' }]
      : [{ ...base(who), state: 'refused', trust: 'none' }]
  })
  const others = credentials.flatMap((one): readonly Link[] => {
    const who = partsOf(one.subject ?? '')
    if (who === undefined || (ground.namespace !== undefined && who.namespace !== ground.namespace)) return []
    const { pods: _, ...bare } = base(who)
    if (one.issuer !== issuer) return [{ ...bare, state: 'elsewhere', trust: 'exact', issuer: one.issuer }]
    return trustedBeside(ground, who, { ...bare, trust: 'exact' })
  })
  return [...found, ...others]
}

/** Every link that federated credentials make; what was not seen of them is noted on the ground. */
export const azureLinks = async (ground: Ground): Promise<readonly Link[]> =>
  (await heldBy(ground)).flatMap((held) => ofIdentity(ground, held))
