/** All fixers, in the order of their checks. */
import type { Fixer } from '../core/plan.ts'
import { fixer as annotationsTakeEffect } from './aws/annotations-take-effect.ts'
import { fixer as oidcProviderAcceptsAudience } from './aws/oidc-provider-accepts-audience.ts'
import { fixer as oidcProviderRegistered } from './aws/oidc-provider-registered.ts'
import { fixer as oidcProviderThumbprintMatches } from './aws/oidc-provider-thumbprint-matches.ts'
import { fixer as podIdentityAgentReachesEksAuth } from './aws/pod-identity-agent-reaches-eks-auth.ts'
import { fixer as podIdentityAgentRunning } from './aws/pod-identity-agent-running.ts'
import { fixer as podIdentityAssociationExists } from './aws/pod-identity-association-exists.ts'
import { fixer as podIsInjected } from './aws/pod-is-injected.ts'
import { fixer as roleArnValid } from './aws/role-arn-valid.ts'
import { fixer as roleChainAllowed } from './aws/role-chain-allowed.ts'
import { fixer as roleExists } from './aws/role-exists.ts'
import { fixer as roleMayUseBucket } from './aws/role-may-use-bucket.ts'
import { fixer as serviceAccountNamesRole } from './aws/service-account-names-role.ts'
import { fixer as sessionRequestValid } from './aws/session-request-valid.ts'
import { fixer as stsEndpointReachable } from './aws/sts-endpoint-reachable.ts'
import { fixer as trustPolicyAdmitsPodIdentity } from './aws/trust-policy-admits-pod-identity.ts'
import { fixer as trustPolicyAdmitsServiceAccount } from './aws/trust-policy-admits-service-account.ts'
import { fixer as trustPolicyIsNarrow } from './aws/trust-policy-is-narrow.ts'
import { fixer as trustPolicyWellFormed } from './aws/trust-policy-well-formed.ts'
import { fixer as azureFederatedCredentialMatchesAudience } from './azure/federated-credential-matches-audience.ts'
import { fixer as azureFederatedCredentialMatchesIssuer } from './azure/federated-credential-matches-issuer.ts'
import { fixer as azureFederatedCredentialMatchesSubject } from './azure/federated-credential-matches-subject.ts'
import { fixer as azureIdentityBindingComplete } from './azure/identity-binding-complete.ts'
import { fixer as azureIdentityExistsInTenant } from './azure/identity-exists-in-tenant.ts'
import { fixer as azureIdentityHasRole } from './azure/identity-has-role.ts'
import { fixer as azurePodAdmitted } from './azure/pod-admitted.ts'
import { fixer as azurePodEnvironmentAgrees } from './azure/pod-environment-agrees.ts'
import { fixer as azurePodInjected } from './azure/pod-injected.ts'
import { fixer as azurePodLabelled } from './azure/pod-labelled.ts'
import { fixer as azurePodUsesFederatedServiceAccount } from './azure/pod-uses-federated-service-account.ts'
import { fixer as azureSecretsStoreNamesIdentity } from './azure/secrets-store-names-identity.ts'
import { fixer as azureServiceAccountNamesIdentity } from './azure/service-account-names-identity.ts'
import { fixer as azureTokenFileReadable } from './azure/token-file-readable.ts'
import { fixer as azureTokenWellFormedAndCurrent } from './azure/token-well-formed-and-current.ts'
import { fixer as azureWebhookServing } from './azure/webhook-serving.ts'
import { fixer as capaBootstrapFitsTheControllers } from './capa/bootstrap-fits-the-controllers.ts'
import { fixer as capaCredentialsCanBeRetrieved } from './capa/credentials-can-be-retrieved.ts'
import { fixer as capaIdentityAdmitsNamespace } from './capa/identity-admits-namespace.ts'
import { fixer as capaIdentityIsNarrow } from './capa/identity-is-narrow.ts'
import { fixer as capaIdentitySpecIsValid } from './capa/identity-spec-is-valid.ts'
import { fixer as capaManifestsAreCurrent } from './capa/manifests-are-current.ts'
import { fixer as capaRoleCanBeAssumed } from './capa/role-can-be-assumed.ts'
import { fixer as cloudProviderConfigIsUnderstood } from './cloud-provider/config-is-understood.ts'
import { fixer as cloudProviderControllerManagerRuns } from './cloud-provider/controller-manager-runs.ts'
import { fixer as cloudtikWorkspaceCanBeCreated } from './cloudtik/workspace-can-be-created.ts'
import { fixer as cloudtikWorkspaceIsInPlace } from './cloudtik/workspace-is-in-place.ts'
import { fixer as discoveryIsPublic } from './cluster/discovery-is-public.ts'
import { fixer as webhookAnswers } from './cluster/webhook-answers.ts'
import { fixer as webhookCaBundleVerifies } from './cluster/webhook-ca-bundle-verifies.ts'
import { fixer as webhookIsConfigured } from './cluster/webhook-is-configured.ts'
import { fixer as webhookIsDependable } from './cluster/webhook-is-dependable.ts'
import { fixer as webhookSelectsThePod } from './cluster/webhook-selects-the-pod.ts'
import { fixer as accessEntriesAreValid } from './eks/access-entries-are-valid.ts'
import { fixer as awsAuthEntriesCanMatch } from './eks/aws-auth-entries-can-match.ts'
import { fixer as loadBalancerAnnotationsAreHonoured } from './eks/load-balancer-annotations-are-honoured.ts'
import { fixer as loadBalancerControllerCanCallAws } from './eks/load-balancer-controller-can-call-aws.ts'
import { fixer as nodesAreMapped } from './eks/nodes-are-mapped.ts'
import { fixer as annotationAgreesWithGrants } from './gcp/annotation-agrees-with-grants.ts'
import { fixer as annotationNamesAServiceAccount } from './gcp/annotation-names-a-service-account.ts'
import { fixer as clientWaitsForMetadataServer } from './gcp/client-waits-for-metadata-server.ts'
import { fixer as credentialConfigurationIsUsable } from './gcp/credential-configuration-is-usable.ts'
import { fixer as directIdentitySuffices } from './gcp/direct-identity-suffices.ts'
import { fixer as googleServiceAccountIsActive } from './gcp/google-service-account-is-active.ts'
import { fixer as iamMembersAreWellFormed } from './gcp/iam-members-are-well-formed.ts'
import { fixer as identityMayCallTargetApi } from './gcp/identity-may-call-target-api.ts'
import { fixer as identityMayReadBucket } from './gcp/identity-may-read-bucket.ts'
import { fixer as identityNamespaceNamesThisCluster } from './gcp/identity-namespace-names-this-cluster.ts'
import { fixer as meshLetsMetadataThrough } from './gcp/mesh-lets-metadata-through.ts'
import { fixer as noKeyOverridesWorkloadIdentity } from './gcp/no-key-overrides-workload-identity.ts'
import { fixer as nodeRunsMetadataServer } from './gcp/node-runs-metadata-server.ts'
import { fixer as podCanReachMetadataServer } from './gcp/pod-can-reach-metadata-server.ts'
import { fixer as podIsServedByMetadataServer } from './gcp/pod-is-served-by-metadata-server.ts'
import { fixer as podRunsAsBoundServiceAccount } from './gcp/pod-runs-as-bound-service-account.ts'
import { fixer as providerAcceptsTokenAudience } from './gcp/provider-accepts-token-audience.ts'
import { fixer as providerAdmitsTokenClaims } from './gcp/provider-admits-token-claims.ts'
import { fixer as providerIsActive } from './gcp/provider-is-active.ts'
import { fixer as providerIssuerMatchesToken } from './gcp/provider-issuer-matches-token.ts'
import { fixer as providerKnowsTheSigningKey } from './gcp/provider-knows-the-signing-key.ts'
import { fixer as serviceAccountAdmitsWorkload } from './gcp/service-account-admits-workload.ts'
import { fixer as tokenEndpointsAnswer } from './gcp/token-endpoints-answer.ts'
import { fixer as googleTokenIsCurrent } from './gcp/token-is-current.ts'
import { fixer as workloadPoolExists } from './gcp/workload-pool-exists.ts'
import { fixer as workloadTokensAreMounted } from './gcp/workload-tokens-are-mounted.ts'
import { fixer as interlinkApiCertificateIsTrusted } from './interlink/api-certificate-is-trusted.ts'
import { fixer as interlinkApiRouteIsComplete } from './interlink/api-route-is-complete.ts'
import { fixer as interlinkServiceAccountsAreEnabled } from './interlink/service-accounts-are-enabled.ts'
import { fixer as interlinkServingCertificateIsApproved } from './interlink/serving-certificate-is-approved.ts'
import { fixer as networkLeadsToTheTokenEndpoint } from './workload/network-leads-to-the-token-endpoint.ts'
import { fixer as podIsNewerThanItsBinding } from './workload/pod-is-newer-than-its-binding.ts'
import { fixer as serviceAccountExists } from './workload/service-account-exists.ts'
import { fixer as serviceAccountIsUsed } from './workload/service-account-is-used.ts'
import { fixer as staticCredentialsAreAbsent } from './workload/static-credentials-are-absent.ts'
import { fixer as tokenFileIsReadable } from './workload/token-file-is-readable.ts'
import { fixer as tokenIsFresh } from './workload/token-is-fresh.ts'
import { fixer as tokenVolumeAsksForTheAudience } from './workload/token-volume-asks-for-the-audience.ts'

export const fixers: readonly Fixer[] = [
  annotationsTakeEffect,
  oidcProviderAcceptsAudience,
  oidcProviderRegistered,
  oidcProviderThumbprintMatches,
  podIdentityAgentReachesEksAuth,
  podIdentityAgentRunning,
  podIdentityAssociationExists,
  podIsInjected,
  roleArnValid,
  roleChainAllowed,
  roleExists,
  roleMayUseBucket,
  serviceAccountNamesRole,
  sessionRequestValid,
  stsEndpointReachable,
  trustPolicyAdmitsPodIdentity,
  trustPolicyAdmitsServiceAccount,
  trustPolicyIsNarrow,
  trustPolicyWellFormed,
  azureFederatedCredentialMatchesAudience,
  azureFederatedCredentialMatchesIssuer,
  azureFederatedCredentialMatchesSubject,
  azureIdentityBindingComplete,
  azureIdentityExistsInTenant,
  azureIdentityHasRole,
  azurePodAdmitted,
  azurePodEnvironmentAgrees,
  azurePodInjected,
  azurePodLabelled,
  azurePodUsesFederatedServiceAccount,
  azureSecretsStoreNamesIdentity,
  azureServiceAccountNamesIdentity,
  azureTokenFileReadable,
  azureTokenWellFormedAndCurrent,
  azureWebhookServing,
  capaBootstrapFitsTheControllers,
  capaCredentialsCanBeRetrieved,
  capaIdentityAdmitsNamespace,
  capaIdentityIsNarrow,
  capaIdentitySpecIsValid,
  capaManifestsAreCurrent,
  capaRoleCanBeAssumed,
  cloudProviderConfigIsUnderstood,
  cloudProviderControllerManagerRuns,
  cloudtikWorkspaceCanBeCreated,
  cloudtikWorkspaceIsInPlace,
  discoveryIsPublic,
  webhookAnswers,
  webhookCaBundleVerifies,
  webhookIsConfigured,
  webhookIsDependable,
  webhookSelectsThePod,
  accessEntriesAreValid,
  awsAuthEntriesCanMatch,
  loadBalancerAnnotationsAreHonoured,
  loadBalancerControllerCanCallAws,
  nodesAreMapped,
  annotationAgreesWithGrants,
  annotationNamesAServiceAccount,
  clientWaitsForMetadataServer,
  credentialConfigurationIsUsable,
  directIdentitySuffices,
  googleServiceAccountIsActive,
  iamMembersAreWellFormed,
  identityMayCallTargetApi,
  identityMayReadBucket,
  identityNamespaceNamesThisCluster,
  meshLetsMetadataThrough,
  noKeyOverridesWorkloadIdentity,
  nodeRunsMetadataServer,
  podCanReachMetadataServer,
  podIsServedByMetadataServer,
  podRunsAsBoundServiceAccount,
  providerAcceptsTokenAudience,
  providerAdmitsTokenClaims,
  providerIsActive,
  providerIssuerMatchesToken,
  providerKnowsTheSigningKey,
  serviceAccountAdmitsWorkload,
  tokenEndpointsAnswer,
  googleTokenIsCurrent,
  workloadPoolExists,
  workloadTokensAreMounted,
  interlinkApiCertificateIsTrusted,
  interlinkApiRouteIsComplete,
  interlinkServiceAccountsAreEnabled,
  interlinkServingCertificateIsApproved,
  networkLeadsToTheTokenEndpoint,
  podIsNewerThanItsBinding,
  serviceAccountExists,
  serviceAccountIsUsed,
  staticCredentialsAreAbsent,
  tokenFileIsReadable,
  tokenIsFresh,
  tokenVolumeAsksForTheAudience,
]
