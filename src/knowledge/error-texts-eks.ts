/** Known error texts about entering an EKS cluster, its nodes' addresses and its load balancers. */
import type { ErrorText, Lead } from '../domain/error-texts.ts'

const presented: Lead = {
  check: 'eks/kubeconfig-presents-a-mapped-identity',
  when: 'The cluster is one of EKS, and the credentials are not valid or not those of whoever is mapped.',
}
const mapped: Lead = {
  check: 'eks/aws-auth-entries-can-match',
  when: 'The entry of aws-auth that means the caller cannot match.',
}
const entered: Lead = {
  check: 'eks/access-entries-are-valid',
  when: 'The access entry that means the caller is dead.',
}
const unknownCaller = 'The API server does not know the caller; EKS says the same for every reason.'

export const eksErrorTexts = [
  {
    // Cut off before the reason, which would decide otherwise.
    fragment: '/failed to retrieve credentials caused by: ?$/',
    leads: [
      {
        check: 'eks/load-balancer-controller-can-call-aws',
        when: 'The text is of the AWS Load Balancer Controller.',
      },
      { check: 'aws/sts-exchanges-token', when: 'What follows names the refusal of STS.' },
    ],
    means: 'The AWS SDK for Go got no credentials by web identity, for the reason that the text goes on to say.',
  },
  {
    fragment: 'error parsing config map: ',
    leads: [{ check: 'eks/aws-auth-entries-can-match' }],
    means: 'The EKS authenticator passed over a section or an entry of ConfigMap aws-auth.',
  },
  {
    fragment: 'one of rolearn or SSO must be supplied',
    leads: [{ check: 'eks/aws-auth-entries-can-match', message: 'arn-missing' }],
    means: 'An entry of mapRoles in ConfigMap aws-auth names no role.',
  },
  {
    fragment: 'value for userarn must be supplied',
    leads: [{ check: 'eks/aws-auth-entries-can-match', message: 'arn-missing' }],
    means: 'An entry of mapUsers in ConfigMap aws-auth names no user.',
  },
  {
    fragment: 'error: You must be logged in to the server (Unauthorized)',
    leads: [presented, mapped, entered],
    means: unknownCaller,
  },
  {
    // Whoever is not kubectl leaves "error:" out.
    fragment: 'You must be logged in to the server (Unauthorized)',
    leads: [mapped, presented, entered],
    means: unknownCaller,
  },
  {
    // As clients before discovery say it.
    fragment: 'the server has asked for the client to provide credentials',
    leads: [presented, mapped, entered],
    means: unknownCaller,
  },
  {
    fragment:
      '/(?:[Ff]ailed to (?:list|watch) \\*v1[a-z0-9]{0,8}\\.\\w{1,40}|[Uu]nable to register node (?:.{1,260} )?with API server|[Ff]ailed to ensure lease exists.{0,40}|waiting for CSINode publishing)(?:: |" err=").{0,200}Unauthorized/',
    leads: [
      { check: 'eks/nodes-are-mapped', when: 'The cluster is one of EKS, and the role of the node is not mapped.' },
      { check: 'eks/aws-auth-entries-can-match', when: 'The entry of aws-auth that means the role cannot match.' },
    ],
    means: 'The API server does not know the kubelet.',
  },
  {
    fragment: 'identity is not mapped',
    leads: [
      { check: 'eks/access-entries-are-valid', when: 'The ARN in the line has an access entry, and that is dead.' },
      { check: 'eks/nodes-are-mapped', message: 'role-not-mapped', when: 'The ARN in the line is that of a node.' },
      { check: 'eks/kubeconfig-presents-a-mapped-identity' },
    ],
    means: 'The EKS authenticator found no living mapping for the ARN in the line.',
  },
  {
    fragment: 'ARN is not mapped',
    leads: [
      { check: 'eks/access-entries-are-valid', when: 'The ARN in the line has an access entry, and that is dead.' },
      { check: 'eks/nodes-are-mapped', message: 'role-not-mapped', when: 'The ARN in the line is that of a node.' },
      { check: 'eks/kubeconfig-presents-a-mapped-identity' },
    ],
    means: 'The authenticator found no living mapping for the ARN in the line.',
  },
  {
    fragment: 'The specified principalArn is invalid: invalid principal',
    leads: [{ check: 'eks/access-entries-are-valid', message: 'principal-missing' }],
    means: 'IAM knows no principal of the ARN that the access entry was to be made for.',
  },
  {
    fragment: 'The specified access entry resource is already in use on this cluster',
    leads: [{ check: 'eks/access-entries-are-valid', message: 'already-there' }],
    means: 'There is an access entry for this principal already.',
  },
  {
    fragment: "The cluster's authentication mode must be set to one of",
    leads: [{ check: 'eks/access-entries-are-valid', message: 'entries-ignored' }],
    means: 'The EKS cluster takes no access entries: its authenticationMode is CONFIG_MAP.',
  },
  {
    fragment: 'exec plugin: invalid apiVersion "client.authentication.k8s.io/v1alpha1"',
    leads: [{ check: 'eks/kubeconfig-presents-a-mapped-identity', message: 'exec-version-removed' }],
    means: 'The kubeconfig asks its credential plugin for a form that kubectl no longer speaks.',
  },
  {
    fragment: 'getting credentials: exec: executable … not found',
    leads: [{ check: 'eks/kubeconfig-presents-a-mapped-identity', message: 'command-missing' }],
    means: 'The credential plugin that the kubeconfig names is not installed, or not on the PATH.',
  },
  {
    fragment:
      '/\\((?:InvalidClientTokenId|ExpiredToken|SignatureDoesNotMatch|UnrecognizedClientException)\\) when calling the GetCallerIdentity operation/',
    leads: [{ check: 'eks/kubeconfig-presents-a-mapped-identity', message: 'keys-invalid' }],
    means: 'AWS does not know the keys, or they have expired.',
  },
  {
    fragment: 'failed to assign an IP address to container',
    leads: [{ check: 'eks/max-pods-fits-the-addresses', message: 'no-address-left' }],
    means: 'The VPC CNI had no address left for a pod: the interfaces of its node, or the subnet, have none.',
  },
  {
    fragment: 'Too many pods',
    leads: [{ check: 'eks/node-has-room-for-pods', message: 'too-many-pods' }],
    means: 'The scheduler passed over nodes that run as many pods as their kubelet admits.',
  },
] as const satisfies readonly ErrorText[]
