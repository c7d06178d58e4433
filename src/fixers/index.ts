/** All fixers, in the order of their checks. */
import type { Fixer } from '../core/plan.ts'
import { fixer as oidcProviderRegistered } from './aws/oidc-provider-registered.ts'
import { fixer as trustPolicyAdmitsServiceAccount } from './aws/trust-policy-admits-service-account.ts'
import { fixer as podIsNewerThanItsBinding } from './workload/pod-is-newer-than-its-binding.ts'

export const fixers: readonly Fixer[] = [
  oidcProviderRegistered,
  trustPolicyAdmitsServiceAccount,
  podIsNewerThanItsBinding,
]
