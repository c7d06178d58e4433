/** What may be asked of Azure, and the form of each answer. */
import type { Question } from '../core/fact.ts'
import { ask, type TokenName } from './asking.ts'

/**
 * Azure, in the flat form in which the az command line prints it (what the resource manager wraps in `properties` stands beside `name`), with
 * the spelling of az: `oidcIssuerProfile.issuerUrl`. Nobody is asked unless something shows that an identity of Azure is in use.
 */
export const azure = {
  /**
   * → `{type, name, id?, location?, resourceGroup?, oidcIssuerProfile?: {enabled?, issuerUrl?}, securityProfile?: {workloadIdentity?: {enabled?}},
   * imdsRestriction?, powerState?}` of the cluster being examined, AKS or Arc. Absent where the cluster is neither.
   */
  cluster: (): Question => ask('azure', 'Microsoft.ContainerService/managedClusters/read'),
  /** → `{identities: [{id?, name, clientId, principalId, tenantId?, location?, type}…], complete}`: managed identities that can be seen. */
  managedIdentities: (): Question => ask('azure', 'Microsoft.ManagedIdentity/userAssignedIdentities/read'),
  /** → `{appId, id?, displayName?}`; absent where the tenant that is asked has no such application. */
  application: (appId: string): Question => ask('azure', 'graph applications/read', { appId }),
  /** → `{appId, id?, displayName?, accountEnabled?, servicePrincipalType?, alternativeNames?, tenantId?}`; absent where there is none. */
  servicePrincipal: (appId: string): Question => ask('azure', 'graph servicePrincipals/read', { appId }),
  /**
   * → `{credentials: [{issuer, subject?, audiences, name?, identity?, expression?, created?}…], complete, listed: [identity…]}`. `identity` is the
   * resource id of the managed identity, or the appId or object id of the application, that holds the credential; left out where the document does
   * not say. `listed`: those identities of which all credentials are here. `expression`: the value of claimsMatchingExpression; such a credential has
   * no subject. With `clientId`: what the identity of that client id holds is meant, and others may be among them; without: all that can be seen.
   */
  federatedIdentityCredentials: (clientId?: string): Question =>
    ask(
      'azure',
      'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read',
      clientId === undefined ? {} : { clientId },
    ),
  /** → `{assignments: [{principalId, roleDefinitionName?, roleDefinitionId?, scope, principalType?, createdOn?}…], complete}`; asked only about a target. */
  roleAssignments: (principalId?: string): Question =>
    ask('azure', 'Microsoft.Authorization/roleAssignments/read', principalId === undefined ? {} : { principalId }),
  /** → `{id?, name, publicNetworkAccess?, defaultAction?, allowSharedKeyAccess?, isHnsEnabled?, statusOfPrimary?}`: the storage account of this
   * name; asked only where an issuer lies in one and is not reached, or a volume does. */
  storageAccount: (name: string): Question => ask('azure', 'Microsoft.Storage/storageAccounts/read', { name }),
  /** → `{bindings: [{name?, clientId?, resourceId?}…], complete}` of the cluster being examined; asked only for pods that ask for a binding. */
  identityBindings: (): Question => ask('azure', 'Microsoft.ContainerService/managedClusters/identityBindings/read'),
  /** → `{tenantId}` of whoever is signed in: what the directory says is absent is absent there, and nowhere else. */
  signedIn: (): Question => ask('azure', 'entra signed-in'),
  /** → `{status}` of the tenant's openid-configuration at this authority; 400 where there is no such tenant. */
  tenant: (authority: string, tenant: string): Question =>
    ask('azure', 'entra openid-configuration', { authority, tenant }),
  /**
   * → `{outcome: 'exchanged', clientId?, objectId?, tenantId?, library?}` (whose the access token is; what @azure/identity said, where it took
   * none) or `{outcome: 'refused', status, error?, code?, text, retryAfter?}`: code are the digits behind AADSTS, text is error_description. The token is minted by TokenRequest; it and the access token are dropped at once, neither is part of an answer.
   */
  exchange: (
    token: TokenName,
    entra: { readonly clientId: string; readonly tenant: string; readonly authority: string },
  ): Question => ask('azure', 'entra oauth2/v2.0/token', { ...token, ...entra }),
} as const
