/** Known error texts of systems that stand on top of a cloud identity. */
import type { ErrorText } from '../domain/error-texts.ts'

/** Of the controllers of Cluster API Provider AWS. */
export const capaErrorTexts = [
  {
    fragment: 'Namespace is not permitted to use AWSCluster',
    leads: [{ check: 'capa/identity-admits-namespace', message: 'not-permitted' }],
    means: 'The identity, or one that it leads to, does not admit the namespace of the cluster object.',
  },
  {
    fragment: 'PrincipalUsageUnauthorized',
    leads: [{ check: 'capa/identity-admits-namespace', message: 'not-permitted' }],
    means: 'The identity does not admit the namespace of the cluster object.',
  },
  {
    fragment: 'SourcePrincipalUsageUnauthorized',
    leads: [{ check: 'capa/identity-admits-namespace', message: 'source-refuses' }],
    means: 'A source of the identity does not admit the namespace of the cluster object.',
  },
  {
    fragment: 'Expected AWSClusterControllerIdentity of name default, got',
    leads: [{ check: 'capa/identity-exists', message: 'controller-identity-not-default' }],
    means: 'A cluster object refers to a controller identity that cannot exist.',
  },
  {
    fragment: "No such provider known: '",
    leads: [{ check: 'capa/identity-exists', message: 'unknown-kind' }],
    means: 'A cluster object refers to an identity of a kind that CAPA does not know.',
  },
  {
    fragment: 'Failed to get providers for cluster',
    leads: [
      { check: 'capa/identity-exists' },
      { check: 'capa/identity-admits-namespace', when: 'The identity exists and may not be used from that namespace.' },
    ],
    means: 'CAPA found no way from the cluster object to a source of credentials.',
  },
  {
    fragment: 'field cannot be set to nil',
    leads: [{ check: 'capa/identity-spec-is-valid', message: 'source-unset' }],
    means: 'A role identity names no source.',
  },
  {
    fragment: 'AWSClusterControllerIdentity is a singleton and only acceptable name is default',
    leads: [{ check: 'capa/identity-spec-is-valid', message: 'controller-identity-renamed' }],
    means: 'The controller identity has another name than default.',
  },
  {
    fragment: '/AWSCluster[A-Za-z]{0,24}.{0,400}exceeds the 1 hour session limit for roles assumed by role chaining/',
    leads: [{ check: 'capa/identity-spec-is-valid', message: 'chained-session-too-long' }],
    means: 'A role identity asks for a longer session than STS gives to a chained role.',
  },
  {
    fragment: 'Identity" in version "infrastructure.cluster.x-k8s.io/v1beta1"',
    leads: [{ check: 'capa/manifests-are-current', message: 'version-not-served' }],
    means: 'The manifest is of a version that the cluster no longer serves.',
  },
  {
    fragment:
      '/(?:AWSCluster|AWSMa|awscluster|awsma|capa-controller|cluster-api-provider-aws).{0,600}InvalidClientTokenId/',
    leads: [{ check: 'capa/credentials-can-be-retrieved', message: 'key-refused' }],
    means: 'STS does not know the access key behind an identity, or does not know it yet.',
  },
  {
    fragment:
      '/InvalidClientTokenId.{0,600}(?:AWSCluster|AWSMa|awscluster|awsma|capa-controller|cluster-api-provider-aws)/',
    leads: [{ check: 'capa/credentials-can-be-retrieved', message: 'key-refused' }],
    means: 'STS does not know the access key behind an identity, or does not know it yet.',
  },
  {
    fragment: '/(?:AWSCluster|AWSMa|awscluster|awsma|capa-controller|cluster-api-provider-aws).{0,600}ExpiredToken/',
    leads: [{ check: 'capa/credentials-can-be-retrieved', message: 'source-expired' }],
    means: 'The temporary credentials of the source have expired.',
  },
  {
    fragment: '/ExpiredToken.{0,600}(?:AWSCluster|AWSMa|awscluster|awsma|capa-controller|cluster-api-provider-aws)/',
    leads: [{ check: 'capa/credentials-can-be-retrieved', message: 'source-expired' }],
    means: 'The temporary credentials of the source have expired.',
  },
  {
    fragment: '/awscluster(?:controller|role|static)identities\\.infrastructure\\.cluster\\.x-k8s\\.io is forbidden/',
    leads: [{ check: 'capa/credentials-can-be-retrieved' }],
    means: 'A controller of CAPA may not read the identities: its ClusterRole lacks them.',
  },
  {
    fragment: 'Failed to retrieve identity credentials',
    leads: [{ check: 'capa/credentials-can-be-retrieved' }],
    means: 'CAPA got no credentials for the identity of a cluster object.',
  },
  {
    fragment: 'PrincipalCredentialRetrievalFailed',
    leads: [{ check: 'capa/credentials-can-be-retrieved' }],
    means: 'CAPA got no credentials for the identity of a cluster object.',
  },
  {
    fragment: 'CredentialProviderBuildFailed',
    leads: [{ check: 'capa/credentials-can-be-retrieved', message: 'provider-not-built' }],
    means: 'CAPA could not make anything of the identity of a cluster object.',
  },
  {
    fragment:
      '/(?:AWSCluster|AWSMa|awscluster|awsma|controllers\\.cluster-api).{0,600}is not authorized to perform: sts:AssumeRole on resource/',
    leads: [{ check: 'capa/role-can-be-assumed', message: 'refused' }],
    means: 'STS refused the role of an identity to its source.',
  },
  {
    fragment:
      '/is not authorized to perform: sts:AssumeRole on resource.{0,600}(?:AWSCluster|AWSMa|awscluster|awsma|controllers\\.cluster-api)/',
    leads: [{ check: 'capa/role-can-be-assumed', message: 'refused' }],
    means: 'STS refused the role of an identity to its source.',
  },
  {
    fragment: '/controllers\\.cluster-api-provider-aws.{0,300}is not authorized to perform: iam:GetPolicy/',
    leads: [{ check: 'capa/bootstrap-fits-the-controllers', message: 'iam-role-creation-off' }],
    means: 'The controllers look after roles, and their own role may not.',
  },
] as const satisfies readonly ErrorText[]

/** About clusters that a CloudTik workspace names. */
export const cloudtikErrorTexts = [
  {
    fragment: 'No cluster found for name',
    leads: [
      {
        check: 'cloudtik/workspace-can-be-created',
        message: 'cluster-missing',
        when: 'A CloudTik workspace names it.',
      },
    ],
    means: 'There is no EKS cluster of this name in the region and account that were asked.',
  },
  {
    fragment: "The Resource 'Microsoft.ContainerService/managedClusters/…' under resource group",
    leads: [
      {
        check: 'cloudtik/workspace-can-be-created',
        message: 'cluster-missing',
        when: 'A CloudTik workspace names it.',
      },
    ],
    means: 'There is no AKS cluster of this name in the resource group.',
  },
  {
    fragment: '/[Nn]ot found: projects\\/[a-z0-9:.-]{1,60}\\/(?:locations|zones)\\/[a-z0-9-]{1,40}\\/clusters\\//',
    leads: [
      {
        check: 'cloudtik/workspace-can-be-created',
        message: 'cluster-missing',
        when: 'A CloudTik workspace names it.',
      },
    ],
    means: 'There is no GKE cluster of this name in the project and location.',
  },
  {
    fragment: '/cloudtik.{0,300}AttributeError/',
    leads: [
      { check: 'cloudtik/workspace-can-be-created', when: 'The AKS cluster that the workspace names is not there.' },
    ],
    means: 'CloudTik took for granted something that is not there.',
  },
] as const satisfies readonly ErrorText[]
