/** Known error texts of EKS Pod Identity: of its agent, of those who call it, and of EKS behind it. */
import type { ErrorText } from '../domain/error-texts.ts'

export const podIdentityErrorTexts = [
  {
    fragment: 'Connect timeout on endpoint URL: "http://169.254.170.23/v1/credentials"',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'Connect timeout on endpoint URL: "http://[fd00:ec2::23]/v1/credentials"',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'dial tcp 169.254.170.23:80:',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'Read timeout on endpoint URL: "http://169.254.170.23/v1/credentials"',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'Could not connect to the endpoint URL: "http://169.254.170.23/v1/credentials"',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'Get "http://169.254.170.23/v1/credentials": context deadline exceeded',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'Get "http://[fd00:ec2::23]/v1/credentials": context deadline exceeded',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'dial tcp [fd00:ec2::23]:80:',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'connect ECONNREFUSED 169.254.170.23:80',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'connect ETIMEDOUT 169.254.170.23:80',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'connect EHOSTUNREACH 169.254.170.23:80',
    leads: [
      { check: 'aws/pod-reaches-pod-identity-agent', message: 'no-answer' },
      { check: 'aws/pod-identity-agent-running' },
      { check: 'workload/network-leads-to-the-token-endpoint' },
    ],
    means: 'The EKS Pod Identity agent does not answer.',
  },
  {
    fragment: 'Called agent through invalid address',
    leads: [{ check: 'aws/pod-reaches-pod-identity-agent', message: 'invalid-address' }],
    means: 'The EKS Pod Identity agent was called by another address than its own.',
  },
  {
    fragment: '(ResourceNotFoundException)',
    leads: [{ check: 'aws/pod-identity-association-exists', message: 'reported-not-found' }],
    means: 'EKS Pod Identity knows no association for the ServiceAccount.',
  },
  {
    fragment: '(AccessDeniedException)',
    leads: [{ check: 'aws/trust-policy-admits-pod-identity' }],
    means: 'EKS Pod Identity may not assume the role of the association.',
  },
  {
    fragment: '[fd00:ec2::23]:80: bind: cannot assign requested address',
    leads: [{ check: 'aws/pod-identity-agent-running', message: 'ipv6-disabled' }],
    means: 'The EKS Pod Identity agent cannot start on a node without IPv6.',
  },
  {
    fragment: 'listen tcp [fd00:ec2::23]:80: bind: cannot assign requested address',
    leads: [{ check: 'aws/pod-identity-agent-running', message: 'ipv6-disabled' }],
    means: 'The EKS Pod Identity agent cannot start on a node without IPv6.',
  },
  {
    fragment: 'listen tcp 169.254.170.23:80: bind: address already in use',
    leads: [{ check: 'aws/pod-identity-agent-running', message: 'port-taken' }],
    means: 'Something else on the node listens where the EKS Pod Identity agent has to.',
  },
  {
    fragment: 'listen tcp [fd00:ec2::23]:80: bind: address already in use',
    leads: [{ check: 'aws/pod-identity-agent-running', message: 'port-taken' }],
    means: 'Something else on the node listens where the EKS Pod Identity agent has to.',
  },
  {
    fragment: 'is not authorized to perform: eks-auth:AssumeRoleForPodIdentity',
    leads: [{ check: 'aws/pod-identity-agent-reaches-eks-auth', message: 'node-role-not-allowed' }],
    means: 'The role of the node may not fetch credentials for its pods.',
  },
  {
    // The caller gives up first where the agent tries again, whatever EKS Auth answers.
    fragment: '/operation error EKS Auth: AssumeRoleForPodIdentity.{0,200}context canceled/',
    leads: [{ check: 'aws/pod-identity-agent-reaches-eks-auth' }],
    means: 'The EKS Pod Identity agent had no credentials of EKS Auth by the time that its caller gave up.',
  },
  {
    fragment: 'eks-auth.…context deadline exceeded',
    leads: [{ check: 'aws/pod-identity-agent-reaches-eks-auth', message: 'eks-auth-unreachable' }],
    means: 'The EKS Pod Identity agent gets no answer from EKS in time.',
  },
] as const satisfies readonly ErrorText[]
