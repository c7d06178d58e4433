/** Checks whose findings could be put right by a fixer that is not written yet; this list only shrinks. */
export const withoutFixer: readonly string[] = [
  'aws/oidc-provider-thumbprint-matches',
  'aws/pod-identity-agent-reaches-eks-auth',
  'aws/pod-identity-agent-running',
  'aws/role-chain-allowed',
  'aws/role-may-use-bucket',
  'aws/session-request-valid',
  'aws/trust-policy-is-narrow',
  'aws/trust-policy-well-formed',
  'azure/secrets-store-names-identity',
  'azure/webhook-serving',
  'cluster/published-jwks-is-current',
  'cluster/published-keys-verify-tokens',
  'eks/access-entries-are-valid',
  'eks/load-balancer-controller-can-call-aws',
  'workload/one-mechanism-is-bound',
]
