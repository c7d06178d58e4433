/** All checks, by id: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as annotationsTakeEffect } from './aws/annotations-take-effect.ts'
import { check as iamQuotasLeft } from './aws/iam-quotas-left.ts'
import { check as instanceMetadataClosed } from './aws/instance-metadata-closed.ts'
import { check as issuerKeysAvailableToSts } from './aws/issuer-keys-available-to-sts.ts'
import { check as awsOidcProviderAcceptsAudience } from './aws/oidc-provider-accepts-audience.ts'
import { check as awsOidcProviderRegistered } from './aws/oidc-provider-registered.ts'
import { check as oidcProviderThumbprintMatches } from './aws/oidc-provider-thumbprint-matches.ts'
import { check as operatorMaySetUpIdentity } from './aws/operator-may-set-up-identity.ts'
import { check as awsPodIdentityAgentReachesEksAuth } from './aws/pod-identity-agent-reaches-eks-auth.ts'
import { check as awsPodIdentityAgentRunning } from './aws/pod-identity-agent-running.ts'
import { check as awsPodIdentityAssociationExists } from './aws/pod-identity-association-exists.ts'
import { check as awsPodIsInjected } from './aws/pod-is-injected.ts'
import { check as awsPodReachesPodIdentityAgent } from './aws/pod-reaches-pod-identity-agent.ts'
import { check as awsRoleArnValid } from './aws/role-arn-valid.ts'
import { check as roleChainAllowed } from './aws/role-chain-allowed.ts'
import { check as awsRoleExists } from './aws/role-exists.ts'
import { check as roleMayUseBucket } from './aws/role-may-use-bucket.ts'
import { check as rolePermitsAction } from './aws/role-permits-action.ts'
import { check as sdkSupportsMechanism } from './aws/sdk-supports-mechanism.ts'
import { check as awsServiceAccountNamesRole } from './aws/service-account-names-role.ts'
import { check as sessionRequestValid } from './aws/session-request-valid.ts'
import { check as stsEndpointReachable } from './aws/sts-endpoint-reachable.ts'
import { check as awsStsExchangesToken } from './aws/sts-exchanges-token.ts'
import { check as stsRegionActive } from './aws/sts-region-active.ts'
import { check as trustPolicyAdmitsPodIdentity } from './aws/trust-policy-admits-pod-identity.ts'
import { check as awsTrustPolicyAdmitsServiceAccount } from './aws/trust-policy-admits-service-account.ts'
import { check as trustPolicyIsNarrow } from './aws/trust-policy-is-narrow.ts'
import { check as awsTrustPolicyWellFormed } from './aws/trust-policy-well-formed.ts'
import { check as awsWorkloadUsesOwnRole } from './aws/workload-uses-own-role.ts'
import { check as azureAppPresentsFederatedToken } from './azure/app-presents-federated-token.ts'
import { check as azureAuthorityIsTenantCloud } from './azure/authority-is-tenant-cloud.ts'
import { check as azureAuthorityReachable } from './azure/authority-reachable.ts'
import { check as azureClusterOidcIssuerEnabled } from './azure/cluster-oidc-issuer-enabled.ts'
import { check as azureFederatedCredentialAccepted } from './azure/federated-credential-accepted.ts'
import { check as azureFederatedCredentialMatchesAudience } from './azure/federated-credential-matches-audience.ts'
import { check as azureFederatedCredentialMatchesIssuer } from './azure/federated-credential-matches-issuer.ts'
import { check as azureFederatedCredentialMatchesSubject } from './azure/federated-credential-matches-subject.ts'
import { check as azureFederationSettled } from './azure/federation-settled.ts'
import { check as azureIdentityBindingComplete } from './azure/identity-binding-complete.ts'
import { check as azureIdentityExistsInTenant } from './azure/identity-exists-in-tenant.ts'
import { check as azureIdentityHasRole } from './azure/identity-has-role.ts'
import { check as azureIssuerDocumentsPublic } from './azure/issuer-documents-public.ts'
import { check as azureIssuerPublishesSigningKey } from './azure/issuer-publishes-signing-key.ts'
import { check as azureNoMigrationHelpers } from './azure/no-migration-helpers.ts'
import { check as azurePodAdmitted } from './azure/pod-admitted.ts'
import { check as azurePodEnvironmentAgrees } from './azure/pod-environment-agrees.ts'
import { check as azurePodInjected } from './azure/pod-injected.ts'
import { check as azurePodLabelled } from './azure/pod-labelled.ts'
import { check as azurePodUsesFederatedServiceAccount } from './azure/pod-uses-federated-service-account.ts'
import { check as azureSecretsStoreNamesIdentity } from './azure/secrets-store-names-identity.ts'
import { check as azureServiceAccountNamesIdentity } from './azure/service-account-names-identity.ts'
import { check as azureTokenExchangeSucceeds } from './azure/token-exchange-succeeds.ts'
import { check as azureTokenFileReadable } from './azure/token-file-readable.ts'
import { check as azureTokenIssuerPublic } from './azure/token-issuer-public.ts'
import { check as azureTokenWellFormedAndCurrent } from './azure/token-well-formed-and-current.ts'
import { check as azureWebhookConfigurationSound } from './azure/webhook-configuration-sound.ts'
import { check as azureWebhookInstalled } from './azure/webhook-installed.ts'
import { check as azureWebhookSelectsPod } from './azure/webhook-selects-pod.ts'
import { check as azureWebhookServing } from './azure/webhook-serving.ts'
import { check as capaBootstrapFitsTheControllers } from './capa/bootstrap-fits-the-controllers.ts'
import { check as capaCredentialsCanBeRetrieved } from './capa/credentials-can-be-retrieved.ts'
import { check as capaIdentityAdmitsNamespace } from './capa/identity-admits-namespace.ts'
import { check as capaIdentityExists } from './capa/identity-exists.ts'
import { check as capaIdentityIsNarrow } from './capa/identity-is-narrow.ts'
import { check as capaIdentitySpecIsValid } from './capa/identity-spec-is-valid.ts'
import { check as capaManifestsAreCurrent } from './capa/manifests-are-current.ts'
import { check as capaRoleCanBeAssumed } from './capa/role-can-be-assumed.ts'
import { check as cloudtikGrantsAreNarrow } from './cloudtik/grants-are-narrow.ts'
import { check as cloudtikMountsCanAuthenticate } from './cloudtik/mounts-can-authenticate.ts'
import { check as cloudtikWorkspaceCanBeCreated } from './cloudtik/workspace-can-be-created.ts'
import { check as cloudtikWorkspaceIsInPlace } from './cloudtik/workspace-is-in-place.ts'
import { check as clocksAgree } from './cluster/clocks-agree.ts'
import { check as discoveryIsPublic } from './cluster/discovery-is-public.ts'
import { check as issuerCertificateIsTrusted } from './cluster/issuer-certificate-is-trusted.ts'
import { check as issuerIsPublic } from './cluster/issuer-is-public.ts'
import { check as publishedJwksIsCurrent } from './cluster/published-jwks-is-current.ts'
import { check as publishedKeysVerifyTokens } from './cluster/published-keys-verify-tokens.ts'
import { check as tokenFlagsFitTogether } from './cluster/token-flags-fit-together.ts'
import { check as tokensCarryThePublishedIssuer } from './cluster/tokens-carry-the-published-issuer.ts'
import { check as webhookAnswers } from './cluster/webhook-answers.ts'
import { check as webhookCaBundleVerifies } from './cluster/webhook-ca-bundle-verifies.ts'
import { check as webhookIsConfigured } from './cluster/webhook-is-configured.ts'
import { check as webhookIsDependable } from './cluster/webhook-is-dependable.ts'
import { check as webhookSelectsThePod } from './cluster/webhook-selects-the-pod.ts'
import { check as accessEntriesAreValid } from './eks/access-entries-are-valid.ts'
import { check as awsAuthEntriesCanMatch } from './eks/aws-auth-entries-can-match.ts'
import { check as clusterAdminsAreFew } from './eks/cluster-admins-are-few.ts'
import { check as kubeconfigPresentsAMappedIdentity } from './eks/kubeconfig-presents-a-mapped-identity.ts'
import { check as loadBalancerAnnotationsAreHonoured } from './eks/load-balancer-annotations-are-honoured.ts'
import { check as loadBalancerControllerCanCallAws } from './eks/load-balancer-controller-can-call-aws.ts'
import { check as maxPodsFitsTheAddresses } from './eks/max-pods-fits-the-addresses.ts'
import { check as nodeHasRoomForPods } from './eks/node-has-room-for-pods.ts'
import { check as nodesAreMapped } from './eks/nodes-are-mapped.ts'
import { check as gcpAnnotationAgreesWithGrants } from './gcp/annotation-agrees-with-grants.ts'
import { check as gcpAnnotationNamesAServiceAccount } from './gcp/annotation-names-a-service-account.ts'
import { check as gcpClientWaitsForMetadataServer } from './gcp/client-waits-for-metadata-server.ts'
import { check as gcpCredentialConfigurationIsUsable } from './gcp/credential-configuration-is-usable.ts'
import { check as gcpDirectIdentitySuffices } from './gcp/direct-identity-suffices.ts'
import { check as gcpGoogleServiceAccountIsActive } from './gcp/google-service-account-is-active.ts'
import { check as gcpGrantsAreNarrow } from './gcp/grants-are-narrow.ts'
import { check as gcpIamMembersAreWellFormed } from './gcp/iam-members-are-well-formed.ts'
import { check as gcpIdentityMayCallTargetApi } from './gcp/identity-may-call-target-api.ts'
import { check as gcpIdentityMayReadBucket } from './gcp/identity-may-read-bucket.ts'
import { check as gcpIdentityNamespaceNamesThisCluster } from './gcp/identity-namespace-names-this-cluster.ts'
import { check as gcpMeshLetsMetadataThrough } from './gcp/mesh-lets-metadata-through.ts'
import { check as gcpMetadataServerHasHeadroom } from './gcp/metadata-server-has-headroom.ts'
import { check as gcpNoKeyOverridesWorkloadIdentity } from './gcp/no-key-overrides-workload-identity.ts'
import { check as gcpNodeRunsMetadataServer } from './gcp/node-runs-metadata-server.ts'
import { check as gcpPodCanReachMetadataServer } from './gcp/pod-can-reach-metadata-server.ts'
import { check as gcpPodIsServedByMetadataServer } from './gcp/pod-is-served-by-metadata-server.ts'
import { check as gcpPodRunsAsBoundServiceAccount } from './gcp/pod-runs-as-bound-service-account.ts'
import { check as gcpProviderAcceptsTokenAudience } from './gcp/provider-accepts-token-audience.ts'
import { check as gcpProviderAdmitsTokenClaims } from './gcp/provider-admits-token-claims.ts'
import { check as gcpProviderIsActive } from './gcp/provider-is-active.ts'
import { check as gcpProviderIssuerMatchesToken } from './gcp/provider-issuer-matches-token.ts'
import { check as gcpProviderKnowsTheSigningKey } from './gcp/provider-knows-the-signing-key.ts'
import { check as gcpServiceAccountAdmitsWorkload } from './gcp/service-account-admits-workload.ts'
import { check as gcpTokenEndpointsAnswer } from './gcp/token-endpoints-answer.ts'
import { check as gcpTokenIsCurrent } from './gcp/token-is-current.ts'
import { check as gcpWorkloadPoolExists } from './gcp/workload-pool-exists.ts'
import { check as gcpWorkloadTokensAreMounted } from './gcp/workload-tokens-are-mounted.ts'
import { check as blobTokenStaysValid } from './storage/blob-token-stays-valid.ts'
import { check as blobVolumeNeedsNoAccountKey } from './storage/blob-volume-needs-no-account-key.ts'
import { check as blobVolumeUsesWorkloadIdentity } from './storage/blob-volume-uses-workload-identity.ts'
import { check as csiDriverIsRegistered } from './storage/csi-driver-is-registered.ts'
import { check as csiDriverReceivesTokens } from './storage/csi-driver-receives-tokens.ts'
import { check as driverHasItsOwnIdentity } from './storage/driver-has-its-own-identity.ts'
import { check as fuseDeviceIsOpenable } from './storage/fuse-device-is-openable.ts'
import { check as fuseMountIsPermitted } from './storage/fuse-mount-is-permitted.ts'
import { check as gcsfuseSidecarIsInjected } from './storage/gcsfuse-sidecar-is-injected.ts'
import { check as gcsfuseVolumeCanAuthenticate } from './storage/gcsfuse-volume-can-authenticate.ts'
import { check as kubeletMayRequestDriverAudience } from './storage/kubelet-may-request-driver-audience.ts'
import { check as mountIsAlive } from './storage/mount-is-alive.ts'
import { check as mounterAsksForTheIdentity } from './storage/mounter-asks-for-the-identity.ts'
import { check as mounterIsMaintained } from './storage/mounter-is-maintained.ts'
import { check as mounterSupportsTheIdentity } from './storage/mounter-supports-the-identity.ts'
import { check as mountpointS3VolumeIsConsistent } from './storage/mountpoint-s3-volume-is-consistent.ts'
import { check as storeAdmitsTheIdentity } from './storage/store-admits-the-identity.ts'
import { check as callerIsTheDeclaredIdentity } from './workload/caller-is-the-declared-identity.ts'
import { check as networkLeadsToTheTokenEndpoint } from './workload/network-leads-to-the-token-endpoint.ts'
import { check as oneMechanismIsBound } from './workload/one-mechanism-is-bound.ts'
import { check as podIsNewerThanItsBinding } from './workload/pod-is-newer-than-its-binding.ts'
import { check as serviceAccountExists } from './workload/service-account-exists.ts'
import { check as serviceAccountIsUsed } from './workload/service-account-is-used.ts'
import { check as staticCredentialsAreAbsent } from './workload/static-credentials-are-absent.ts'
import { check as tokenFileIsReadable } from './workload/token-file-is-readable.ts'
import { check as tokenIsForThisWorkload } from './workload/token-is-for-this-workload.ts'
import { check as tokenIsFresh } from './workload/token-is-fresh.ts'
import { check as tokenVolumeAsksForTheAudience } from './workload/token-volume-asks-for-the-audience.ts'

export const checks: readonly Check[] = [
  annotationsTakeEffect,
  iamQuotasLeft,
  instanceMetadataClosed,
  issuerKeysAvailableToSts,
  awsOidcProviderAcceptsAudience,
  awsOidcProviderRegistered,
  oidcProviderThumbprintMatches,
  operatorMaySetUpIdentity,
  awsPodIdentityAgentReachesEksAuth,
  awsPodIdentityAgentRunning,
  awsPodIdentityAssociationExists,
  awsPodIsInjected,
  awsPodReachesPodIdentityAgent,
  awsRoleArnValid,
  roleChainAllowed,
  awsRoleExists,
  roleMayUseBucket,
  rolePermitsAction,
  sdkSupportsMechanism,
  awsServiceAccountNamesRole,
  sessionRequestValid,
  stsEndpointReachable,
  awsStsExchangesToken,
  stsRegionActive,
  trustPolicyAdmitsPodIdentity,
  awsTrustPolicyAdmitsServiceAccount,
  trustPolicyIsNarrow,
  awsTrustPolicyWellFormed,
  awsWorkloadUsesOwnRole,
  azureAppPresentsFederatedToken,
  azureAuthorityIsTenantCloud,
  azureAuthorityReachable,
  azureClusterOidcIssuerEnabled,
  azureFederatedCredentialAccepted,
  azureFederatedCredentialMatchesAudience,
  azureFederatedCredentialMatchesIssuer,
  azureFederatedCredentialMatchesSubject,
  azureFederationSettled,
  azureIdentityBindingComplete,
  azureIdentityExistsInTenant,
  azureIdentityHasRole,
  azureIssuerDocumentsPublic,
  azureIssuerPublishesSigningKey,
  azureNoMigrationHelpers,
  azurePodAdmitted,
  azurePodEnvironmentAgrees,
  azurePodInjected,
  azurePodLabelled,
  azurePodUsesFederatedServiceAccount,
  azureSecretsStoreNamesIdentity,
  azureServiceAccountNamesIdentity,
  azureTokenExchangeSucceeds,
  azureTokenFileReadable,
  azureTokenIssuerPublic,
  azureTokenWellFormedAndCurrent,
  azureWebhookConfigurationSound,
  azureWebhookInstalled,
  azureWebhookSelectsPod,
  azureWebhookServing,
  capaBootstrapFitsTheControllers,
  capaCredentialsCanBeRetrieved,
  capaIdentityAdmitsNamespace,
  capaIdentityExists,
  capaIdentityIsNarrow,
  capaIdentitySpecIsValid,
  capaManifestsAreCurrent,
  capaRoleCanBeAssumed,
  cloudtikGrantsAreNarrow,
  cloudtikMountsCanAuthenticate,
  cloudtikWorkspaceCanBeCreated,
  cloudtikWorkspaceIsInPlace,
  clocksAgree,
  discoveryIsPublic,
  issuerCertificateIsTrusted,
  issuerIsPublic,
  publishedJwksIsCurrent,
  publishedKeysVerifyTokens,
  tokenFlagsFitTogether,
  tokensCarryThePublishedIssuer,
  webhookAnswers,
  webhookCaBundleVerifies,
  webhookIsConfigured,
  webhookIsDependable,
  webhookSelectsThePod,
  accessEntriesAreValid,
  awsAuthEntriesCanMatch,
  clusterAdminsAreFew,
  kubeconfigPresentsAMappedIdentity,
  loadBalancerAnnotationsAreHonoured,
  loadBalancerControllerCanCallAws,
  maxPodsFitsTheAddresses,
  nodeHasRoomForPods,
  nodesAreMapped,
  gcpAnnotationAgreesWithGrants,
  gcpAnnotationNamesAServiceAccount,
  gcpClientWaitsForMetadataServer,
  gcpCredentialConfigurationIsUsable,
  gcpDirectIdentitySuffices,
  gcpGoogleServiceAccountIsActive,
  gcpGrantsAreNarrow,
  gcpIamMembersAreWellFormed,
  gcpIdentityMayCallTargetApi,
  gcpIdentityMayReadBucket,
  gcpIdentityNamespaceNamesThisCluster,
  gcpMeshLetsMetadataThrough,
  gcpMetadataServerHasHeadroom,
  gcpNoKeyOverridesWorkloadIdentity,
  gcpNodeRunsMetadataServer,
  gcpPodCanReachMetadataServer,
  gcpPodIsServedByMetadataServer,
  gcpPodRunsAsBoundServiceAccount,
  gcpProviderAcceptsTokenAudience,
  gcpProviderAdmitsTokenClaims,
  gcpProviderIsActive,
  gcpProviderIssuerMatchesToken,
  gcpProviderKnowsTheSigningKey,
  gcpServiceAccountAdmitsWorkload,
  gcpTokenEndpointsAnswer,
  gcpTokenIsCurrent,
  gcpWorkloadPoolExists,
  gcpWorkloadTokensAreMounted,
  blobTokenStaysValid,
  blobVolumeNeedsNoAccountKey,
  blobVolumeUsesWorkloadIdentity,
  csiDriverIsRegistered,
  csiDriverReceivesTokens,
  driverHasItsOwnIdentity,
  fuseDeviceIsOpenable,
  fuseMountIsPermitted,
  gcsfuseSidecarIsInjected,
  gcsfuseVolumeCanAuthenticate,
  kubeletMayRequestDriverAudience,
  mountIsAlive,
  mounterAsksForTheIdentity,
  mounterIsMaintained,
  mounterSupportsTheIdentity,
  mountpointS3VolumeIsConsistent,
  storeAdmitsTheIdentity,
  callerIsTheDeclaredIdentity,
  networkLeadsToTheTokenEndpoint,
  oneMechanismIsBound,
  podIsNewerThanItsBinding,
  serviceAccountExists,
  serviceAccountIsUsed,
  staticCredentialsAreAbsent,
  tokenFileIsReadable,
  tokenIsForThisWorkload,
  tokenIsFresh,
  tokenVolumeAsksForTheAudience,
]
