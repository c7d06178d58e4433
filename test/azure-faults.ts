/** How a team comes to each finding of Azure that a plan puts right; and those that no round of the lab can show. */
import { audience, type Fault, group, issuer, otherTenant, type Team, tenant } from './azure-teams.ts'

const prefix = 'azure.workload.identity'
const client = `${prefix}/client-id`
const account = `${group}/Microsoft.Storage/storageAccounts/shopdata`
const denied =
  'This request is not authorized to perform this operation using this permission. ErrorCode:AuthorizationPermissionMismatch GET https://shopdata.blob.core.windows.net/carts'
const assigned = (at: number, called: string, id: string, principalId: string) => ({
  'roles.json': {
    id: `${account}/providers/Microsoft.Authorization/roleAssignments/00000000-0000-4000-9000-00000000000${at}`,
    name: `00000000-0000-4000-9000-00000000000${at}`,
    principalId,
    roleDefinitionName: called,
    roleDefinitionId: `/subscriptions/5f2d0f0e-1111-4222-8333-444455556666/providers/Microsoft.Authorization/roleDefinitions/${id}`,
    scope: account,
    type: 'Microsoft.Authorization/roleAssignments',
  },
})
const unlabelled = { label: undefined, bare: true } as const
const gone = 'dddddddd-0000-4000-8000-000000000001'
/** The annotation, and what the webhook made of it. */
const named = (value: (team: Team) => string): Fault => ({
  annotations: (team) => ({ [client]: value(team) }),
  env: (team) => ({ AZURE_CLIENT_ID: value(team) }),
})
const unnamed: Fault = {
  annotations: () => ({ [client]: undefined }),
  env: () => ({ AZURE_CLIENT_ID: undefined }),
}
const tokenFile = '/var/run/secrets/azure/tokens/azure-identity-token'

/** By check and message: how a team comes to it. */
export const faults: { readonly [finding: string]: Fault } = {
  'azure/federated-credential-matches-audience: audience-differs': {
    credentials: () => [{ audience: 'sts.amazonaws.com' }],
  },
  'azure/federated-credential-matches-audience: cloud-suffix': {
    credentials: () => [{ audience: `${audience}China` }],
  },
  'azure/federated-credential-matches-issuer: issuer-differs': {
    credentials: () => [{ issuer: 'https://oidc.eks.us-west-2.amazonaws.com/id/5D2A9C41E7B84F6A' }],
  },
  'azure/federated-credential-matches-issuer: none-on-identity': { credentials: () => [] },
  'azure/federated-credential-matches-issuer: other-cluster': {
    credentials: () => [{ issuer: issuer.replace('7627b819', '11112222') }],
  },
  'azure/federated-credential-matches-issuer: trailing-slash': { credentials: () => [{ issuer: issuer.slice(0, -1) }] },
  'azure/federated-credential-matches-subject: differs-in-case': {
    credentials: ({ subject }) => [{ subject: subject.replace('cart', 'Cart') }],
  },
  'azure/federated-credential-matches-subject: expression-differs': {
    credentials: () => [{ expression: "claims['sub'] matches 'system:serviceaccount:other:*'" }],
  },
  'azure/federated-credential-matches-subject: malformed-subject': {
    credentials: ({ namespace }) => [{ subject: `system:serviceaccount: ${namespace}:cart` }],
  },
  'azure/federated-credential-matches-subject: operator': {
    namespace: 'external-secrets',
    account: 'external-secrets',
    credentials: () => [{ subject: 'system:serviceaccount:shop:web' }],
  },
  'azure/federated-credential-matches-subject: subject-differs': {
    credentials: () => [{ subject: 'system:serviceaccount:shop:web' }],
  },
  'azure/federated-credential-matches-subject: wildcard': {
    credentials: ({ namespace }) => [{ subject: `system:serviceaccount:${namespace}:*` }],
  },
  'azure/identity-binding-complete: use-not-granted': {
    elsewhere: true,
    templateAnnotations: { [`${prefix}/use-identity-binding`]: 'true' },
    projected: 'api://AKSIdentityBinding',
    env: () => ({
      AZURE_KUBERNETES_TOKEN_PROXY: 'https://10.0.0.9',
      AZURE_KUBERNETES_SNI_NAME: 'x.ests.aks',
      AZURE_KUBERNETES_CA_FILE: '/var/run/secrets/azure/wi/ca-cert/ca.crt',
    }),
    cloud: ({ clientId, identity, name }) => ({
      'identity-bindings.json': {
        id: `${group}/Microsoft.ContainerService/managedClusters/shop/identityBindings/${name}`,
        name,
        type: 'Microsoft.ContainerService/managedClusters/identityBindings',
        properties: { managedIdentity: { clientId, resourceId: identity } },
      },
    }),
  },
  'azure/identity-exists-in-tenant: recreated': { identityName: 'cart', ...named(() => gone) },
  'azure/identity-exists-in-tenant: tenant-annotation-empty': {
    annotations: () => ({ [`${prefix}/tenant-id`]: '' }),
    env: () => ({ AZURE_TENANT_ID: undefined }),
  },
  'azure/identity-exists-in-tenant: tenant-differs': {
    annotations: () => ({ [`${prefix}/tenant-id`]: otherTenant }),
    env: () => ({ AZURE_TENANT_ID: otherTenant }),
    cloud: ({ principalId }) => ({
      'identities-of-another-tenant.json': {
        id: `${group}/Microsoft.ManagedIdentity/userAssignedIdentities/foreign`,
        name: 'foreign',
        clientId: 'eeeeeeee-0000-4000-8000-000000000001',
        principalId: principalId.replace(/^b/, 'a'),
        tenantId: otherTenant,
        type: 'Microsoft.ManagedIdentity/userAssignedIdentities',
      },
    }),
  },
  'azure/identity-has-role: assigned-to-client-id': {
    event: () => denied,
    stays: 'storage/store-admits-the-identity',
    cloud: ({ clientId }) => assigned(1, 'Storage Blob Data Reader', '2a2b9908-6ea1-4ae2-8e65-a410df84e7d1', clientId),
  },
  'azure/identity-has-role: control-plane-only': {
    event: () => denied,
    stays: 'storage/store-admits-the-identity',
    cloud: ({ principalId }) => assigned(2, 'Contributor', 'b24988ac-6180-42a0-ab88-20f7382dd24c', principalId),
  },
  'azure/identity-has-role: data-role-missing': {
    event: () => denied,
    stays: 'storage/store-admits-the-identity',
    cloud: () => ({
      'account.json': {
        id: account,
        name: 'shopdata',
        type: 'Microsoft.Storage/storageAccounts',
        location: 'eastus',
        kind: 'StorageV2',
        publicNetworkAccess: 'Enabled',
        networkRuleSet: { defaultAction: 'Allow' },
      },
    }),
  },
  'azure/pod-admitted: token-expiration-invalid': {
    annotations: () => ({ [`${prefix}/service-account-token-expiration`]: '600' }),
  },
  'azure/pod-environment-agrees: stale': { env: () => ({ AZURE_CLIENT_ID: gone }) },
  'azure/pod-injected: created-before-setup': { bare: true, born: '2026-01-12T08:00:00Z' },
  'azure/pod-injected: not-injected': { bare: true },
  'azure/pod-labelled: label-missing': unlabelled,
  'azure/pod-labelled: label-on-service-account': { ...unlabelled, labels: { [`${prefix}/use`]: 'true' } },
  'azure/pod-labelled: label-on-workload': { ...unlabelled, ownLabels: { [`${prefix}/use`]: 'true' } },
  'azure/pod-labelled: label-value': { label: 'yes', bare: true },
  'azure/pod-uses-federated-service-account: other-service-account': {
    template: () => ({ serviceAccountName: 'web' }),
    env: () => ({ AZURE_CLIENT_ID: undefined }),
    more: ({ namespace }) => [{ apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name: 'web', namespace } }],
  },
  'azure/secrets-store-names-identity: client-id-missing': {
    elsewhere: true,
    template: () => ({
      volumes: [
        {
          name: 'vault',
          csi: { driver: 'secrets-store.csi.k8s.io', volumeAttributes: { secretProviderClass: 'vault' } },
        },
      ],
    }),
    ...unlabelled,
    annotations: () => ({ [client]: undefined }),
    more: ({ namespace }) => [
      {
        apiVersion: 'secrets-store.csi.x-k8s.io/v1',
        kind: 'SecretProviderClass',
        metadata: { name: 'vault', namespace },
        spec: { provider: 'azure', parameters: { keyvaultName: 'shop' } },
      },
      {
        apiVersion: 'storage.k8s.io/v1',
        kind: 'CSIDriver',
        metadata: { name: 'secrets-store.csi.k8s.io' },
        spec: { podInfoOnMount: true, tokenRequests: [{ audience }] },
      },
    ],
  },
  'azure/service-account-names-identity: annotated-elsewhere': {
    ...unnamed,
    more: ({ namespace, clientId }) => [
      {
        apiVersion: 'v1',
        kind: 'Service',
        metadata: { name: 'cart', namespace, annotations: { [client]: clientId } },
        spec: { selector: { app: 'cart' }, ports: [{ port: 80 }] },
      },
    ],
  },
  'azure/service-account-names-identity: client-id-missing': unnamed,
  'azure/service-account-names-identity: key-misspelt': {
    ...unnamed,
    annotations: ({ clientId }) => ({ [client]: undefined, [`${prefix}/clientid`]: clientId }),
  },
  'azure/service-account-names-identity: not-a-guid': named(() => 'cart-id'),
  'azure/service-account-names-identity: placeholder': named(() => '<client-id>'),
  'azure/service-account-names-identity: principal-id': named(({ principalId }) => principalId),
  'azure/service-account-names-identity: resource-id': named(({ identity }) => identity),
  'azure/token-file-readable: permission-denied': {
    ...unlabelled,
    template: ({ clientId }) => ({
      containers: ['cart', 'exporter'].map((name, at) => ({
        name,
        securityContext: { runAsUser: 1000 + at },
        image: 'registry.example/shop/cart:1.4.2',
        env: [
          { name: 'AZURE_CLIENT_ID', value: clientId },
          { name: 'AZURE_TENANT_ID', value: tenant },
          { name: 'AZURE_FEDERATED_TOKEN_FILE', value: tokenFile },
          { name: 'AZURE_AUTHORITY_HOST', value: 'https://login.microsoftonline.com/' },
        ],
        volumeMounts: [{ name: 'own', mountPath: '/var/run/secrets/azure/tokens', readOnly: true }],
      })),
      volumes: [
        {
          name: 'own',
          projected: {
            defaultMode: 256,
            sources: [{ serviceAccountToken: { audience, expirationSeconds: 3600, path: 'azure-identity-token' } }],
          },
        },
      ],
    }),
  },
}

/** What no round of the lab can show, and why. */
export const exceptions: { readonly [finding: string]: string } = {
  'azure/federated-credential-matches-issuer: no-longer-signs': 'AKS shows no flags of its API server',
  'azure/token-well-formed-and-current: expired': 'the text that was logged stays, and nobody writes the next one',
  'azure/webhook-serving: call-failed': 'the text that was logged stays, and nobody writes the next one',
  'azure/webhook-serving: no-endpoints': 'the lab runs no webhook whose endpoints would come up',
  'azure/webhook-serving: tls-broken': 'the lab runs no webhook that would write its bundle',
}
