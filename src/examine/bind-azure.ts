/** A ServiceAccount bound to a managed identity or an application of Entra: one federated credential, one annotation, and a role where one is named. */
import { isObject, type Json, listAt, textAt, textsAt } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import { azureAudience, azureClientAnnotation } from '../domain/audiences.ts'
import {
  addCredential,
  assignRole,
  dataRole,
  dataRoles,
  freeName,
  isManagedId,
  mayTrust,
} from '../domain/azure-changes.ts'
import { type Credential, mostCredentials, shortName, takesSubject } from '../domain/azure-credentials.ts'
import { tenantAnnotation } from '../domain/azure-pods.ts'
import { isGuid } from '../domain/guid.ts'
import { isMasked } from '../domain/issuer-url.ts'
import { azure, kubernetes } from '../domain/questions.ts'
import { readCredential } from '../probes/azure/credentials.ts'
import { issuer } from '../probes/cluster/issuer.ts'
import { type BindBrief, type Intent, seenOrEnd } from './bind-brief.ts'
import { annotated } from './bind-service-account.ts'
import { usage } from './trouble.ts'

type Holder = {
  /** Resource id of a managed identity, appId of an application. */
  readonly holder: string
  readonly name: string
  readonly clientId: string
  readonly principalId?: string | undefined
  readonly tenantId?: string | undefined
}

const same = (a: string | undefined, b: string): boolean => a?.toLowerCase() === b.toLowerCase()

export const bindAzure: Intent = async (brief) => {
  const { flags } = brief
  if ((flags.role === undefined) !== (flags.on === undefined))
    throw usage('--role and --on go together: which role, and at which resource')
  const holder = flags['azure-app'] === undefined ? await identityOf(brief) : await applicationOf(brief)
  const roles = flags['service-account-only'] ? [] : await roleActions(brief, holder)
  const trust = flags['service-account-only'] ? [] : await trustActions(brief, holder)
  const own = flags['cloud-only'] ? [] : await accountActions(brief, holder)
  return [...trust, ...roles, ...own]
}

async function identityOf({ flags, ask }: BindBrief): Promise<Holder> {
  const value = flags['azure-identity'] ?? ''
  if (value.startsWith('/') && !isManagedId(value))
    throw usage(`--azure-identity ${value}: not the resource id of a user-assigned managed identity`)
  const list = seenOrEnd(await ask(azure.managedIdentities()), 'the managed identities') ?? null
  const key = value.startsWith('/') ? 'id' : isGuid(value) ? 'clientId' : 'name'
  const found = listAt(list, 'identities').filter((one) => same(textAt(one, key), value))
  const [one, second] = found
  if (second !== undefined)
    throw usage(
      `--azure-identity ${value}: several identities have this name; name one by its resource id: ${found.map((each) => textAt(each, 'id')).join(', ')}`,
    )
  const [id, clientId] = [textAt(one ?? null, 'id'), textAt(one ?? null, 'clientId')]
  if (one === undefined || id === undefined || clientId === undefined)
    throw usage(
      `no managed identity ${value} can be seen: name another (az identity list), or sign in where it lives; it is not made here, since somebody has to choose its resource group`,
    )
  const [principalId, tenantId] = [textAt(one, 'principalId'), textAt(one, 'tenantId')]
  return { holder: id, name: textAt(one, 'name') ?? shortName(id), clientId, principalId, tenantId }
}

async function applicationOf({ flags, ask }: BindBrief): Promise<Holder> {
  const appId = flags['azure-app'] ?? ''
  if (!isGuid(appId)) throw usage(`--azure-app ${appId}: the application (client) id, a GUID`)
  const found = seenOrEnd(await ask(azure.application(appId)), `application ${appId}`)
  if (found === undefined) throw usage(`the tenant has no application ${appId}: az ad app list --show-mine`)
  const principal = await ask(azure.servicePrincipal(appId))
  const seen = principal.state === 'known' ? principal.value : null
  if (principal.state === 'absent')
    throw usage(`application ${appId} has no service principal in this tenant: az ad sp create --id ${appId}`)
  return {
    holder: appId,
    name: textAt(found, 'displayName') ?? appId,
    clientId: appId,
    principalId: textAt(seen, 'id'),
    tenantId: textAt(seen, 'tenantId'),
  }
}

/** One credential for exactly this ServiceAccount of exactly this cluster, beside those that are there. */
async function trustActions(brief: BindBrief, own: Holder): Promise<readonly Action[]> {
  const { namespace, name, ask, say } = brief
  const found = seenOrEnd(await brief.ofCluster(issuer), "the issuer of the cluster's tokens")
  if (found === undefined || found.via === 'error' || isMasked(found.issuer))
    throw usage("the issuer of the cluster's tokens was not seen; it has to be known to be trusted")
  const trusted = {
    issuer: found.issuer,
    subject: `system:serviceaccount:${namespace}:${name}`,
    audience: azureAudience,
  }
  if (!mayTrust(trusted))
    throw usage(`the issuer of the cluster's tokens is ${found.issuer}; Entra trusts https:// only`)
  const question = azure.federatedIdentityCredentials(own.clientId)
  const list = seenOrEnd(await ask(question), `the federated credentials of ${own.name}`) ?? null
  const isWhole = textsAt(list, 'listed').some((one) => same(one, own.holder))
  const held = listAt(list, 'credentials').flatMap((one): readonly Credential[] => {
    const read = readCredential(one)
    return read === undefined || !same(read.identity, own.holder) ? [] : [read]
  })
  const claims = { iss: trusted.issuer, sub: trusted.subject, aud: trusted.audience }
  const there = held.find((one) => one.issuer === trusted.issuer && takesSubject(one, claims) === true)
  if (there?.audiences[0] === trusted.audience) {
    say(`already so: credential ${there.name} of ${own.name} trusts ${trusted.subject} of this cluster`)
    return []
  }
  if (there !== undefined)
    throw usage(
      `credential ${there.name} of ${own.name} trusts ${trusted.subject} for audience ${there.audiences.join(', ')}, and an identity holds an issuer and a subject once: have it say ${trusted.audience} first (kubectl wi fix)`,
    )
  if (!isWhole)
    throw usage(`not all federated credentials of ${own.name} were seen; which places are free is not known`)
  if (held.length >= mostCredentials)
    throw usage(
      `${own.name} holds ${held.length} federated credentials, and Entra takes no more than ${mostCredentials}: take away one that nobody uses, or give this ServiceAccount an identity of its own. Nothing was changed`,
    )
  if (held.length === mostCredentials - 1)
    say(
      `note: this takes the last of the ${mostCredentials} places of ${own.name}; the next ServiceAccount needs another identity`,
    )
  const free = freeName(
    trusted.subject,
    held.map((one) => one.name),
  )
  const summary = `Add federated credential ${free} for ${trusted.subject} of issuer ${trusted.issuer} to identity ${own.name}`
  return [
    { summary, safety: 'review', ...addCredential({ question, holder: own.holder, owner: own.holder }, free, trusted) },
  ]
}

async function roleActions({ flags, ask, say }: BindBrief, own: Holder): Promise<readonly Action[]> {
  const { role: called, on: scope } = flags
  if (called === undefined || scope === undefined) return []
  const role = dataRole(called) ?? (isGuid(called) ? { name: called, id: called.toLowerCase() } : undefined)
  if (role === undefined)
    throw usage(
      `--role ${called}: one of ${dataRoles.join(', ')}, or the GUID of a role definition (az role definition list)`,
    )
  // A whole subscription or group is more than a workload was meant to have.
  if (!/^\/subscriptions\/[0-9a-f-]{36}\/resourceGroups\/[^/]+\/providers\/[^/]+\/[^/]+\/[^/]+/i.test(scope))
    throw usage(`--on ${scope}: the resource id of one resource (/subscriptions/…/resourceGroups/…/providers/…)`)
  const { principalId } = own
  if (principalId === undefined || !isGuid(principalId)) throw usage(`the principal id of ${own.name} was not seen`)
  const question = azure.roleAssignments(principalId)
  const list: Json = seenOrEnd(await ask(question), `the roles of ${own.name}`) ?? null
  const has = listAt(list, 'assignments').some(
    (one) =>
      isObject(one) &&
      same(textAt(one, 'principalId'), principalId) &&
      same(textAt(one, 'scope'), scope) &&
      (same(textAt(one, 'roleDefinitionId')?.split('/').at(-1), role.id) ||
        same(textAt(one, 'roleDefinitionName'), role.name)),
  )
  if (has) {
    say(`already so: ${own.name} has role ${role.name} at ${scope}`)
    return []
  }
  const summary = `Give ${own.name} (principal ${principalId}) role ${role.name} at ${scope}`
  return [{ summary, safety: 'review', ...assignRole(question, principalId, role, scope) }]
}

/** The client id; and the tenant, where the webhook would name another one. */
async function accountActions(brief: BindBrief, own: Holder): Promise<readonly Action[]> {
  const { ask, name, namespace } = brief
  const first = await annotated(brief, azureClientAnnotation, own.clientId)
  let usual: string | undefined
  for (const place of ['kube-system', 'azure-workload-identity-system']) {
    const settings = await ask(kubernetes.get('configmaps', place, 'azure-wi-webhook-config'))
    usual ??= settings.state === 'known' ? textAt(settings.value, 'data', 'AZURE_TENANT_ID') : undefined
  }
  if (own.tenantId === undefined || usual === undefined || same(own.tenantId, usual)) return first
  const [only] = first
  // Made with both: a ServiceAccount that is not there yet has nothing to be annotated.
  if (only?.change.call === 'serviceaccounts/create')
    throw usage(
      `${own.name} lives in tenant ${own.tenantId}, and the webhook names ${usual}: create the ServiceAccount first (kubectl create serviceaccount ${name} -n ${namespace})`,
    )
  return [...first, ...(await annotated(brief, tenantAnnotation, own.tenantId))]
}
