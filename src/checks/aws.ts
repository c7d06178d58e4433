/** The checks of aws/: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as annotationsTakeEffect } from './aws/annotations-take-effect.ts'
import { check as iamQuotasLeft } from './aws/iam-quotas-left.ts'
import { check as instanceMetadataClosed } from './aws/instance-metadata-closed.ts'
import { check as issuerKeysAvailableToSts } from './aws/issuer-keys-available-to-sts.ts'
import { check as oidcProviderAcceptsAudience } from './aws/oidc-provider-accepts-audience.ts'
import { check as oidcProviderRegistered } from './aws/oidc-provider-registered.ts'
import { check as oidcProviderThumbprintMatches } from './aws/oidc-provider-thumbprint-matches.ts'
import { check as operatorMaySetUpIdentity } from './aws/operator-may-set-up-identity.ts'
import { check as podIdentityAgentReachesEksAuth } from './aws/pod-identity-agent-reaches-eks-auth.ts'
import { check as podIdentityAgentRunning } from './aws/pod-identity-agent-running.ts'
import { check as podIdentityAssociationExists } from './aws/pod-identity-association-exists.ts'
import { check as podIsInjected } from './aws/pod-is-injected.ts'
import { check as podReachesPodIdentityAgent } from './aws/pod-reaches-pod-identity-agent.ts'
import { check as roleArnValid } from './aws/role-arn-valid.ts'
import { check as roleChainAllowed } from './aws/role-chain-allowed.ts'
import { check as roleExists } from './aws/role-exists.ts'
import { check as roleMayUseBucket } from './aws/role-may-use-bucket.ts'
import { check as rolePermitsAction } from './aws/role-permits-action.ts'
import { check as sdkSupportsMechanism } from './aws/sdk-supports-mechanism.ts'
import { check as serviceAccountNamesRole } from './aws/service-account-names-role.ts'
import { check as sessionRequestValid } from './aws/session-request-valid.ts'
import { check as stsEndpointReachable } from './aws/sts-endpoint-reachable.ts'
import { check as stsExchangesToken } from './aws/sts-exchanges-token.ts'
import { check as stsRegionActive } from './aws/sts-region-active.ts'
import { check as trustPolicyAdmitsPodIdentity } from './aws/trust-policy-admits-pod-identity.ts'
import { check as trustPolicyAdmitsServiceAccount } from './aws/trust-policy-admits-service-account.ts'
import { check as trustPolicyIsNarrow } from './aws/trust-policy-is-narrow.ts'
import { check as trustPolicyWellFormed } from './aws/trust-policy-well-formed.ts'
import { check as workloadUsesOwnRole } from './aws/workload-uses-own-role.ts'

export const aws: readonly Check[] = [
  annotationsTakeEffect,
  iamQuotasLeft,
  instanceMetadataClosed,
  issuerKeysAvailableToSts,
  oidcProviderAcceptsAudience,
  oidcProviderRegistered,
  oidcProviderThumbprintMatches,
  operatorMaySetUpIdentity,
  podIdentityAgentReachesEksAuth,
  podIdentityAgentRunning,
  podIdentityAssociationExists,
  podIsInjected,
  podReachesPodIdentityAgent,
  roleArnValid,
  roleChainAllowed,
  roleExists,
  roleMayUseBucket,
  rolePermitsAction,
  sdkSupportsMechanism,
  serviceAccountNamesRole,
  sessionRequestValid,
  stsEndpointReachable,
  stsExchangesToken,
  stsRegionActive,
  trustPolicyAdmitsPodIdentity,
  trustPolicyAdmitsServiceAccount,
  trustPolicyIsNarrow,
  trustPolicyWellFormed,
  workloadUsesOwnRole,
]
