/** All fixers, in the order of their checks. */
import type { Fixer } from '../core/plan.ts'
import { fixer as annotationsTakeEffect } from './aws/annotations-take-effect.ts'
import { fixer as oidcProviderAcceptsAudience } from './aws/oidc-provider-accepts-audience.ts'
import { fixer as oidcProviderRegistered } from './aws/oidc-provider-registered.ts'
import { fixer as podIdentityAssociationExists } from './aws/pod-identity-association-exists.ts'
import { fixer as podIsInjected } from './aws/pod-is-injected.ts'
import { fixer as roleArnValid } from './aws/role-arn-valid.ts'
import { fixer as roleExists } from './aws/role-exists.ts'
import { fixer as serviceAccountNamesRole } from './aws/service-account-names-role.ts'
import { fixer as stsEndpointReachable } from './aws/sts-endpoint-reachable.ts'
import { fixer as trustPolicyAdmitsPodIdentity } from './aws/trust-policy-admits-pod-identity.ts'
import { fixer as trustPolicyAdmitsServiceAccount } from './aws/trust-policy-admits-service-account.ts'
import { fixer as podIsNewerThanItsBinding } from './workload/pod-is-newer-than-its-binding.ts'

export const fixers: readonly Fixer[] = [
  annotationsTakeEffect,
  oidcProviderAcceptsAudience,
  oidcProviderRegistered,
  podIdentityAssociationExists,
  podIsInjected,
  roleArnValid,
  roleExists,
  serviceAccountNamesRole,
  stsEndpointReachable,
  trustPolicyAdmitsPodIdentity,
  trustPolicyAdmitsServiceAccount,
  podIsNewerThanItsBinding,
]
