/** Commands of az that findings about Azure tell a person to run. */
import { type Account, advice, podsOf } from './advice.ts'
import { sh } from './shell-words.ts'

/** In the place of what was not seen. */
export const unseen = {
  group: 'GROUP',
  cluster: 'CLUSTER',
  identity: 'IDENTITY',
  clientId: 'CLIENT_ID',
  tenant: 'TENANT_ID',
} as const

export type AksName = { readonly cluster: string; readonly group: string }

export const showAks = ({ group, cluster }: AksName): string =>
  sh`az aks show -g ${group} -n ${cluster} --query "{issuer:oidcIssuerProfile,addOn:securityProfile.workloadIdentity}"`
export const updateAks = ({ group, cluster }: AksName, ...flags: readonly string[]): string =>
  [sh`az aks update -g ${group} -n ${cluster}`, ...flags].join(' ')

export const annotate = ({ namespace, serviceAccount }: Account, key: string, value: string): string =>
  sh`kubectl annotate serviceaccount/${serviceAccount} -n ${namespace} ${`${key}=${value}`} --overwrite`

/** What is to be written on a ServiceAccount: `named` the words for it, `hint` what a placeholder stands for, `shows` the command that prints it. */
export type Writing = {
  readonly key: string
  readonly value: string
  readonly named: string
  readonly placeholder: string
  readonly hint: string
  readonly shows: string
}

/** The annotation, and then pods that were made with it. */
export function annotateAnew(account: Account, { key, value, named, placeholder, hint, shows }: Writing): string {
  const isOpen = value === placeholder
  return advice(
    `Annotate the ServiceAccount with ${named}${isOpen ? ` (${placeholder}: ${hint})` : ''}, then make anew what runs as it (the last command lists the pods).`,
    ...(isOpen ? [shows] : []),
    annotate(account, key, value),
    podsOf(account),
  )
}

/** Whose credentials: a managed identity by name and group, or an application by its appId. */
export type Holder = { readonly identity: string; readonly group: string }

export const listCredentials = ({ identity, group }: Holder): string =>
  group === ''
    ? sh`az ad app federated-credential list --id ${identity}`
    : sh`az identity federated-credential list --identity-name ${identity} -g ${group}`

export type Wished = Holder & { readonly issuer: string; readonly subject: string; readonly audience: string }

/** A new credential beside those that are there; applications take theirs as JSON. */
export const addCredential = ({ identity, group, issuer, subject, audience }: Wished, name = 'CREDENTIAL'): string =>
  group === ''
    ? sh`az ad app federated-credential create --id ${identity} --parameters ${JSON.stringify({ name, issuer, subject, audiences: [audience] })}`
    : sh`az identity federated-credential create --name ${name} --identity-name ${identity} -g ${group} --issuer ${issuer} --subject ${subject} --audiences ${audience}`

/** The credential of this name with these three values in the place of its present ones. */
export const rewriteCredential = ({ identity, group, issuer, subject, audience }: Wished, name: string): string =>
  group === ''
    ? sh`az ad app federated-credential update --id ${identity} --federated-credential-id ${name} --parameters ${JSON.stringify({ issuer, subject, audiences: [audience] })}`
    : sh`az identity federated-credential update --name ${name} --identity-name ${identity} -g ${group} --issuer ${issuer} --subject ${subject} --audiences ${audience}`
