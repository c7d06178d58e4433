/** Objects of Azure that are judged by themselves: managed identities, among documents only, and classes of the secrets store. */
import type { Fact, Question } from '../../core/fact.ts'
import { type Json, listAt, textAt } from '../../core/json.ts'
import { keyOfSubject, type Subject, subjectKey } from '../../core/subject.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { azure, kubernetes } from '../../domain/questions.ts'
import type { Pod, ServiceAccount } from '../../domain/workloads.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { readManagedIdentity } from './identity.ts'
import { driverName, readStoreClass } from './secrets-store.ts'

export type AzureObjects = {
  /** By name, with the client id by which ServiceAccounts name them. */
  readonly managed: readonly { readonly name: string; readonly clientId: string }[]
  /** Classes of the secrets store that ask Azure Key Vault. */
  readonly classes: readonly { readonly namespace: string; readonly name: string }[]
  /** Something about another named object was seen that no such object stands for. */
  readonly ofObjects: boolean
}

/** Texts about objects that they mostly do not name. */
const objectTexts: ReadonlySet<string> = new Set([
  ...fragmentsOf('azure/federated-credential-accepted'),
  ...fragmentsOf('azure/secrets-store-names-identity'),
])

/** `errors`: what was observed; a live cluster is asked for none of the objects: its pods name the classes that matter. */
export async function azureObjects(
  ask: (question: Question) => Promise<Fact<Json>>,
  errors: Fact<Json>,
  documents: boolean,
  namespace: string | undefined,
): Promise<AzureObjects> {
  const said = errors.state === 'known' ? listAt(errors.value, 'errors') : []
  const told = said.some((one) => objectTexts.has(textAt(one, 'fragment') ?? ''))
  if (!documents) return { managed: [], classes: [], ofObjects: told }
  const [identities, credentials, classes] = await Promise.all([
    ask(azure.managedIdentities()),
    ask(azure.federatedIdentityCredentials()),
    ask(kubernetes.list('secretproviderclasses', namespace)),
  ])
  const managed =
    identities.state === 'known'
      ? listAt(identities.value, 'identities').flatMap((one) => readManagedIdentity(one) ?? [])
      : []
  return {
    managed,
    classes:
      classes.state === 'known' ? listAt(classes.value, 'items').flatMap((one) => readStoreClass(one) ?? []) : [],
    ofObjects: told || (credentials.state === 'known' && managed.length === 0),
  }
}

/** Keys of the managed identities that a ServiceAccount names by client id. */
export function identitiesNamed(account: ServiceAccount | undefined, { managed }: AzureObjects): readonly string[] {
  const clientId = account?.annotations[azureClientAnnotation]?.trim().toLowerCase()
  return clientId === undefined
    ? []
    : managed.filter((one) => one.clientId.toLowerCase() === clientId).map(({ name }) => `ManagedIdentity ${name}`)
}

type Place = { readonly namespace: string; readonly name: string }

/** The classes of the secrets store that pods mount, whoever their provider is, each with the keys of the ServiceAccounts of those pods. */
function classesMounted(pods: readonly Pod[]): ReadonlyMap<string, Place & { readonly of: readonly string[] }> {
  const found = new Map<string, Place & { readonly of: string[] }>()
  for (const { namespace, serviceAccount, storage } of pods)
    for (const { driver, attributes } of storage?.volumes ?? []) {
      const name = driver === driverName ? attributes.secretProviderClass : undefined
      if (name === undefined) continue
      const key = `${namespace}/${name}`
      const user = subjectKey({ kind: 'ServiceAccount', namespace, name: serviceAccount })
      const held = found.get(key)
      if (held === undefined) found.set(key, { namespace, name, of: [user] })
      else if (!held.of.includes(user)) held.of.push(user)
    }
  return found
}

/** The subjects for them; an identity belongs to whoever names it, a class to whoever mounts it. */
export function azureSubjects(
  { managed, classes }: AzureObjects,
  subjects: readonly Subject[],
  pods: readonly Pod[],
): readonly Subject[] {
  const mounted = classesMounted(pods)
  const alone = classes.filter(({ namespace, name }) => !mounted.has(`${namespace}/${name}`))
  return [
    ...managed.map(({ name }) => ({
      kind: 'ManagedIdentity',
      name,
      of: subjects.filter((one) => one.of?.includes(`ManagedIdentity ${name}`) === true).map(subjectKey),
    })),
    ...[...mounted.values(), ...alone].map((one) => ({ kind: 'SecretProviderClass', ...one })),
  ]
}

/** By key of its ServiceAccount, the workloads whose pods would run as it. */
export function ownersOf(
  templates: readonly Pod[],
  keyOf: (namespace: string, name: string) => string,
): ReadonlyMap<string, readonly string[]> {
  const owners = new Map<string, string[]>()
  for (const { kind, namespace, name, serviceAccount } of templates) {
    const key = keyOf(namespace, serviceAccount)
    const shelf = owners.get(key) ?? []
    owners.set(key, shelf)
    shelf.push(keyOfSubject({ kind, namespace, name }))
  }
  return owners
}
