/** Checks whose findings could be put right by a fixer that is not written yet; this list only shrinks. */
export const withoutFixer: readonly string[] = [
  'eks/access-entries-are-valid',
  'eks/load-balancer-controller-can-call-aws',
  'gcp/client-waits-for-metadata-server',
  'gcp/credential-configuration-is-usable',
  'gcp/direct-identity-suffices',
  'gcp/iam-members-are-well-formed',
  'gcp/identity-may-call-target-api',
  'gcp/identity-namespace-names-this-cluster',
  'gcp/mesh-lets-metadata-through',
  'gcp/pod-can-reach-metadata-server',
  'gcp/pod-is-served-by-metadata-server',
  'gcp/provider-admits-token-claims',
  'gcp/provider-knows-the-signing-key',
  'gcp/token-endpoints-answer',
  'gcp/token-is-current',
  'gcp/workload-tokens-are-mounted',
]
