/** The checks of azure/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as appPresentsFederatedToken } from './azure/app-presents-federated-token.ts'
import { check as authorityIsTenantCloud } from './azure/authority-is-tenant-cloud.ts'
import { check as authorityReachable } from './azure/authority-reachable.ts'
import { check as clusterOidcIssuerEnabled } from './azure/cluster-oidc-issuer-enabled.ts'
import { check as federatedCredentialAccepted } from './azure/federated-credential-accepted.ts'
import { check as federatedCredentialMatchesAudience } from './azure/federated-credential-matches-audience.ts'
import { check as federatedCredentialMatchesIssuer } from './azure/federated-credential-matches-issuer.ts'
import { check as federatedCredentialMatchesSubject } from './azure/federated-credential-matches-subject.ts'
import { check as federationSettled } from './azure/federation-settled.ts'
import { check as identityBindingComplete } from './azure/identity-binding-complete.ts'
import { check as identityExistsInTenant } from './azure/identity-exists-in-tenant.ts'
import { check as identityHasRole } from './azure/identity-has-role.ts'
import { check as issuerDocumentsPublic } from './azure/issuer-documents-public.ts'
import { check as issuerPublishesSigningKey } from './azure/issuer-publishes-signing-key.ts'
import { check as noMigrationHelpers } from './azure/no-migration-helpers.ts'
import { check as podAdmitted } from './azure/pod-admitted.ts'
import { check as podEnvironmentAgrees } from './azure/pod-environment-agrees.ts'
import { check as podInjected } from './azure/pod-injected.ts'
import { check as podLabelled } from './azure/pod-labelled.ts'
import { check as podUsesFederatedServiceAccount } from './azure/pod-uses-federated-service-account.ts'
import { check as secretsStoreNamesIdentity } from './azure/secrets-store-names-identity.ts'
import { check as serviceAccountNamesIdentity } from './azure/service-account-names-identity.ts'
import { check as tokenExchangeSucceeds } from './azure/token-exchange-succeeds.ts'
import { check as tokenFileReadable } from './azure/token-file-readable.ts'
import { check as tokenIssuerPublic } from './azure/token-issuer-public.ts'
import { check as tokenWellFormedAndCurrent } from './azure/token-well-formed-and-current.ts'
import { check as webhookConfigurationSound } from './azure/webhook-configuration-sound.ts'
import { check as webhookInstalled } from './azure/webhook-installed.ts'
import { check as webhookSelectsPod } from './azure/webhook-selects-pod.ts'
import { check as webhookServing } from './azure/webhook-serving.ts'

export const azure: readonly Check[] = [
  appPresentsFederatedToken,
  authorityIsTenantCloud,
  authorityReachable,
  clusterOidcIssuerEnabled,
  federatedCredentialAccepted,
  federatedCredentialMatchesAudience,
  federatedCredentialMatchesIssuer,
  federatedCredentialMatchesSubject,
  federationSettled,
  identityBindingComplete,
  identityExistsInTenant,
  identityHasRole,
  issuerDocumentsPublic,
  issuerPublishesSigningKey,
  noMigrationHelpers,
  podAdmitted,
  podEnvironmentAgrees,
  podInjected,
  podLabelled,
  podUsesFederatedServiceAccount,
  secretsStoreNamesIdentity,
  serviceAccountNamesIdentity,
  tokenExchangeSucceeds,
  tokenFileReadable,
  tokenIssuerPublic,
  tokenWellFormedAndCurrent,
  webhookConfigurationSound,
  webhookInstalled,
  webhookSelectsPod,
  webhookServing,
]
