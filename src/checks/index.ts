/** All checks, by id: `export const check = defineCheck({…})` in the file that its id names, and a line here. */
import type { Check } from '../core/check.ts'
import { check as awsOidcProviderAcceptsAudience } from './aws/oidc-provider-accepts-audience.ts'
import { check as awsOidcProviderRegistered } from './aws/oidc-provider-registered.ts'
import { check as awsPodIsInjected } from './aws/pod-is-injected.ts'
import { check as awsRoleArnValid } from './aws/role-arn-valid.ts'
import { check as awsRoleExists } from './aws/role-exists.ts'
import { check as awsServiceAccountNamesRole } from './aws/service-account-names-role.ts'
import { check as awsStsExchangesToken } from './aws/sts-exchanges-token.ts'
import { check as awsTrustPolicyAdmitsServiceAccount } from './aws/trust-policy-admits-service-account.ts'
import { check as awsTrustPolicyWellFormed } from './aws/trust-policy-well-formed.ts'
import { check as awsWorkloadUsesOwnRole } from './aws/workload-uses-own-role.ts'
import { check as discoveryIsPublic } from './cluster/discovery-is-public.ts'
import { check as issuerCertificateIsTrusted } from './cluster/issuer-certificate-is-trusted.ts'
import { check as issuerIsPublic } from './cluster/issuer-is-public.ts'
import { check as publishedKeysVerifyTokens } from './cluster/published-keys-verify-tokens.ts'
import { check as tokensCarryThePublishedIssuer } from './cluster/tokens-carry-the-published-issuer.ts'
import { check as podIsNewerThanItsBinding } from './workload/pod-is-newer-than-its-binding.ts'
import { check as serviceAccountExists } from './workload/service-account-exists.ts'
import { check as serviceAccountIsUsed } from './workload/service-account-is-used.ts'
import { check as tokenIsForThisWorkload } from './workload/token-is-for-this-workload.ts'
import { check as tokenVolumeAsksForTheAudience } from './workload/token-volume-asks-for-the-audience.ts'

export const checks: readonly Check[] = [
  awsOidcProviderAcceptsAudience,
  awsOidcProviderRegistered,
  awsPodIsInjected,
  awsRoleArnValid,
  awsRoleExists,
  awsServiceAccountNamesRole,
  awsStsExchangesToken,
  awsTrustPolicyAdmitsServiceAccount,
  awsTrustPolicyWellFormed,
  awsWorkloadUsesOwnRole,
  discoveryIsPublic,
  issuerCertificateIsTrusted,
  issuerIsPublic,
  publishedKeysVerifyTokens,
  tokensCarryThePublishedIssuer,
  podIsNewerThanItsBinding,
  serviceAccountExists,
  serviceAccountIsUsed,
  tokenIsForThisWorkload,
  tokenVolumeAsksForTheAudience,
]
