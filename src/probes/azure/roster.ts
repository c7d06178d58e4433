/** Objects of Azure that are judged by themselves: managed identities and classes of the secrets store, among documents only. */
import type { Fact, Question } from '../../core/fact.ts'
import { type Json, listAt, textAt } from '../../core/json.ts'
import { keyOfSubject, type Subject, subjectKey } from '../../core/subject.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { azure, kubernetes } from '../../domain/questions.ts'
import type { Pod, ServiceAccount } from '../../domain/workloads.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { readManagedIdentity } from './identity.ts'
import { readStoreClass } from './secrets-store.ts'

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

/** `errors`: what was observed; a live cluster is asked for none of the objects. */
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

/** The subjects for them; an identity belongs to whoever names it. */
export const azureSubjects = ({ managed, classes }: AzureObjects, subjects: readonly Subject[]): readonly Subject[] => [
  ...managed.map(({ name }) => ({
    kind: 'ManagedIdentity',
    name,
    of: subjects.filter((one) => one.of?.includes(`ManagedIdentity ${name}`) === true).map(subjectKey),
  })),
  ...classes.map(({ namespace, name }) => ({ kind: 'SecretProviderClass', namespace, name })),
]

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
