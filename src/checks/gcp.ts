/** The checks of gcp/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as annotationAgreesWithGrants } from './gcp/annotation-agrees-with-grants.ts'
import { check as annotationNamesAServiceAccount } from './gcp/annotation-names-a-service-account.ts'
import { check as clientWaitsForMetadataServer } from './gcp/client-waits-for-metadata-server.ts'
import { check as credentialConfigurationIsUsable } from './gcp/credential-configuration-is-usable.ts'
import { check as directIdentitySuffices } from './gcp/direct-identity-suffices.ts'
import { check as googleServiceAccountIsActive } from './gcp/google-service-account-is-active.ts'
import { check as grantsAreNarrow } from './gcp/grants-are-narrow.ts'
import { check as iamMembersAreWellFormed } from './gcp/iam-members-are-well-formed.ts'
import { check as identityMayCallTargetApi } from './gcp/identity-may-call-target-api.ts'
import { check as identityMayReadBucket } from './gcp/identity-may-read-bucket.ts'
import { check as identityNamespaceNamesThisCluster } from './gcp/identity-namespace-names-this-cluster.ts'
import { check as meshLetsMetadataThrough } from './gcp/mesh-lets-metadata-through.ts'
import { check as metadataServerHasHeadroom } from './gcp/metadata-server-has-headroom.ts'
import { check as noKeyOverridesWorkloadIdentity } from './gcp/no-key-overrides-workload-identity.ts'
import { check as nodeRunsMetadataServer } from './gcp/node-runs-metadata-server.ts'
import { check as podCanReachMetadataServer } from './gcp/pod-can-reach-metadata-server.ts'
import { check as podIsServedByMetadataServer } from './gcp/pod-is-served-by-metadata-server.ts'
import { check as podRunsAsBoundServiceAccount } from './gcp/pod-runs-as-bound-service-account.ts'
import { check as providerAcceptsTokenAudience } from './gcp/provider-accepts-token-audience.ts'
import { check as providerAdmitsTokenClaims } from './gcp/provider-admits-token-claims.ts'
import { check as providerIsActive } from './gcp/provider-is-active.ts'
import { check as providerIssuerMatchesToken } from './gcp/provider-issuer-matches-token.ts'
import { check as providerKnowsTheSigningKey } from './gcp/provider-knows-the-signing-key.ts'
import { check as serviceAccountAdmitsWorkload } from './gcp/service-account-admits-workload.ts'
import { check as tokenEndpointsAnswer } from './gcp/token-endpoints-answer.ts'
import { check as tokenIsCurrent } from './gcp/token-is-current.ts'
import { check as workloadPoolExists } from './gcp/workload-pool-exists.ts'
import { check as workloadTokensAreMounted } from './gcp/workload-tokens-are-mounted.ts'

export const gcp: readonly Check[] = [
  annotationAgreesWithGrants,
  annotationNamesAServiceAccount,
  clientWaitsForMetadataServer,
  credentialConfigurationIsUsable,
  directIdentitySuffices,
  googleServiceAccountIsActive,
  grantsAreNarrow,
  iamMembersAreWellFormed,
  identityMayCallTargetApi,
  identityMayReadBucket,
  identityNamespaceNamesThisCluster,
  meshLetsMetadataThrough,
  metadataServerHasHeadroom,
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
  tokenIsCurrent,
  workloadPoolExists,
  workloadTokensAreMounted,
]
