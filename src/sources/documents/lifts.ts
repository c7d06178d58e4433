/** Which command prints the document that would answer a question. */
import type { Question } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { sh } from '../../domain/shell-words.ts'

const word = (question: Question, name: string): string => textAt(question.input, name) ?? name.toUpperCase()

/** A file name of its own for what is called so, whatever is in the name. */
const fileOf = (name: string): string => name.replace(/[^\w.@-]/gu, '_').replace(/^[-.]/, '_')

function kubernetesLift(question: Question): string {
  const { call } = question
  if (call.startsWith('nonresource '))
    return sh`kubectl get --raw ${call.slice('nonresource '.length, call.lastIndexOf('/'))} > apiserver.json`
  if (call === 'config') return 'kubectl config view --minify > kubeconfig.yaml'
  if (call === 'serviceaccounts/token/create') return mint(question)
  const [resource = '', verb] = call.split('/')
  const namespace = textAt(question.input, 'namespace')
  const name = verb === 'get' ? sh` ${word(question, 'name')}` : ''
  const where = namespace === undefined ? (name === '' ? ' -A' : '') : sh` -n ${namespace}`
  return `kubectl get ${resource}${name}${where} -o yaml > ${resource}.yaml`
}

const mint = (question: Question): string =>
  sh`kubectl create token ${word(question, 'name')} -n ${word(question, 'namespace')} --audience ${word(question, 'audience')} > ${fileOf(word(question, 'name'))}.jwt`

const lifts: { readonly [call: string]: (question: Question) => string } = {
  'oidc discovery': (question) =>
    sh`curl ${`${word(question, 'issuer').replace(/\/$/, '')}/.well-known/openid-configuration`} > discovery.json`,
  'oidc jwks': (question) => sh`curl ${textAt(question.input, 'uri') || 'JWKS_URI'} > jwks.json`,
  'oidc certificates': (question) => {
    const host = word(question, 'host')
    return sh`openssl s_client -showcerts -servername ${host} -connect ${`${host}:${question.input.port ?? 443}`} < /dev/null > ${fileOf(host)}.pem`
  },
  'oidc signature': (question) => `${mint(question)}, and ${sh`curl ${word(question, 'uri')} > jwks.json`}`,
  'aws sts:GetCallerIdentity': () => 'aws sts get-caller-identity > caller.json',
  'aws eks:DescribeCluster': () => 'aws eks describe-cluster --name CLUSTER > cluster.json',
  'aws iam:GetRole': (question) =>
    sh`aws iam get-role --role-name ${word(question, 'RoleName')} > ${fileOf(word(question, 'RoleName'))}.json`,
  'aws iam:ListRoles': () => 'aws iam list-roles > roles.json',
  'aws iam:ListOpenIDConnectProviders': (question) =>
    sh`aws iam list-open-id-connect-providers > ${fileOf(word(question, 'account'))}.json`,
  'aws iam:GetOpenIDConnectProvider': (question) => {
    const arn = word(question, 'OpenIDConnectProviderArn')
    return sh`aws iam get-open-id-connect-provider --open-id-connect-provider-arn ${arn} > ${fileOf(arn.split(':')[4] || 'ACCOUNT')}.json`
  },
  'aws eks:ListPodIdentityAssociations': () =>
    'aws eks list-pod-identity-associations --cluster-name CLUSTER > associations.json',
  'aws eks:ListAccessEntries': () => 'aws eks list-access-entries --cluster-name CLUSTER > access-entries.json',
  'aws eks:DescribeAccessEntry': (question) =>
    sh`aws eks describe-access-entry --cluster-name CLUSTER --principal-arn ${word(question, 'principalArn')} > access-entry.json`,
  'aws eks:ListAssociatedAccessPolicies': (question) =>
    sh`aws eks list-associated-access-policies --cluster-name CLUSTER --principal-arn ${word(question, 'principalArn')} > access-policies.json`,
  'aws eks:ListNodegroups': () => 'aws eks list-nodegroups --cluster-name CLUSTER > nodegroups.json',
  'aws eks:DescribeNodegroup': (question) =>
    sh`aws eks describe-nodegroup --cluster-name CLUSTER --nodegroup-name ${word(question, 'nodegroupName')} > nodegroup.json`,
  'aws ec2:DescribeInstances': () => 'aws ec2 describe-instances > instances.json',
  'aws ec2:DescribeSubnets': () => 'aws ec2 describe-subnets > subnets.json',
  'aws ec2:DescribeInstanceTypes': (question) =>
    sh`aws ec2 describe-instance-types --instance-types ${word(question, 'InstanceType')} > instance-types.json`,
  'aws ec2:DescribeLaunchTemplateVersions': (question) =>
    sh`aws ec2 describe-launch-template-versions --launch-template-id ${word(question, 'LaunchTemplateId')} > launch-template.json`,
  'aws iam:GetInstanceProfile': (question) =>
    sh`aws iam get-instance-profile --instance-profile-name ${word(question, 'InstanceProfileName')} > instance-profile.json`,
  'aws s3:GetBucketPublicAccessBlock': (question) =>
    sh`aws s3api get-public-access-block --bucket ${word(question, 'Bucket')} > ${`public-access/${fileOf(word(question, 'Bucket'))}.json`}`,
  'aws s3:GetAccountPublicAccessBlock': () =>
    'aws s3control get-public-access-block --account-id ACCOUNT > public-access/ACCOUNT.json',
  'aws s3:GetBucketOwnershipControls': (question) =>
    sh`aws s3api get-bucket-ownership-controls --bucket ${word(question, 'Bucket')} > ${`ownership/${fileOf(word(question, 'Bucket'))}.json`}`,
  'aws s3:GetBucketPolicy': (question) =>
    sh`aws s3api get-bucket-policy --bucket ${word(question, 'Bucket')} > ${`bucket-policies/${fileOf(word(question, 'Bucket'))}.json`}`,
  'aws s3:GetEncryptionConfiguration': (question) =>
    sh`aws s3api get-bucket-encryption --bucket ${word(question, 'Bucket')} > ${`encryption/${fileOf(word(question, 'Bucket'))}.json`}`,
  'aws iam:GetUser': (question) => sh`aws iam get-user --user-name ${word(question, 'UserName')} > user.json`,
  'aws sts:AssumeRoleWithWebIdentity': () => 'run kubectl wi doctor against the cluster',
  'aws iam:ListRolePolicies': (question) =>
    sh`aws iam list-role-policies --role-name ${word(question, 'RoleName')} > ${`inline-policies/${fileOf(word(question, 'RoleName'))}.json`}`,
  'aws iam:GetRolePolicy': (question) =>
    sh`aws iam get-role-policy --role-name ${word(question, 'RoleName')} --policy-name ${word(question, 'PolicyName')} > ${fileOf(word(question, 'PolicyName'))}.json`,
  'aws iam:ListAttachedRolePolicies': (question) =>
    sh`aws iam list-attached-role-policies --role-name ${word(question, 'RoleName')} > ${`attached-policies/${fileOf(word(question, 'RoleName'))}.json`}`,
  'aws iam:GetPolicyVersion': (question) => {
    const arn = word(question, 'PolicyArn')
    return sh`aws iam get-policy-version --policy-arn ${arn} --version-id VERSION > ${`policies/${fileOf(arn.split('/').at(-1) ?? 'POLICY')}.json`}`
  },
  'aws eks:ListClusters': (question) =>
    sh`aws eks list-clusters --region ${word(question, 'region')} > ${`${fileOf(word(question, 'region'))}.json`}, and aws eks describe-cluster for each`,
  'aws iam:GetAccountSummary': () => 'aws iam get-account-summary > summary.json',
  'aws iam:SimulatePrincipalPolicy': () => 'run kubectl wi doctor against the cluster',
  'aws organizations:ListPolicies': () =>
    'aws organizations list-policies --filter RESOURCE_CONTROL_POLICY > policies.json',
  'gcp iam.workloadIdentityPoolProviders.list': () =>
    'gcloud iam workload-identity-pools providers list --workload-identity-pool POOL --location global --format json > providers.json',
  'gcp container.clusters.get': () => 'gcloud container clusters describe CLUSTER --format json > gke.json',
  'azure Microsoft.ContainerService/managedClusters/read': () => 'az aks show -g GROUP -n CLUSTER > aks.json',
  'azure Microsoft.ManagedIdentity/userAssignedIdentities/read': () => 'az identity list > identities.json',
  'azure graph applications/read': (question) =>
    sh`az ad app show --id ${word(question, 'appId')} > ${`${fileOf(word(question, 'appId'))}.json`}`,
  'azure graph servicePrincipals/read': (question) =>
    sh`az ad sp show --id ${word(question, 'appId')} > ${`${fileOf(word(question, 'appId'))}-sp.json`}`,
  'gcp container.clusters.list': () => 'gcloud container clusters list --format json > clusters.json',
  'gcp iam.serviceAccounts.get': (question) =>
    sh`gcloud iam service-accounts describe ${word(question, 'email')} --format json > account.json`,
  'gcp iam.serviceAccounts.getIamPolicy': (question) =>
    sh`gcloud iam service-accounts get-iam-policy ${word(question, 'email')} --format json > ${fileOf(word(question, 'email'))}.json`,
  'gcp resourcemanager.projects.getIamPolicy': (question) =>
    sh`gcloud projects get-iam-policy ${word(question, 'project')} --format json > ${`projects_${fileOf(word(question, 'project'))}.json`}`,
  'gcp resourcemanager.projects.get': (question) =>
    sh`gcloud projects describe ${word(question, 'project')} --format json > project.json`,
  'gcp storage.buckets.getIamPolicy': (question) =>
    sh`gcloud storage buckets get-iam-policy ${`gs://${word(question, 'bucket')}`} --format json > ${`buckets_${fileOf(word(question, 'bucket'))}.json`}`,
  'gcp storage.buckets.get': (question) =>
    sh`gcloud storage buckets describe ${`gs://${word(question, 'bucket')}`} --format json > bucket.json`,
  'gcp iam.roles.get': (question) => sh`gcloud iam roles describe ${word(question, 'role')} --format json > role.json`,
  'gcp iam.workloadIdentityPools.get': (question) =>
    sh`gcloud iam workload-identity-pools describe ${word(question, 'name')} --format json > pool.json`,
  'gcp iam.workloadIdentityPoolProviders.get': (question) =>
    sh`gcloud iam workload-identity-pools providers describe ${word(question, 'name')} --format json > provider.json`,
  'gcp serviceusage.services.get': () => 'gcloud services list --format json > services.json',
  'gcp gkehub.memberships.get': () =>
    'gcloud container fleet memberships describe MEMBERSHIP --format json > membership.json',
  'gcp logging.logEntries.list': () => 'run kubectl wi doctor against the cluster',
  'gcp pod-probe': () => 'run kubectl wi doctor against the cluster',
  'azure Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read': () =>
    'az identity federated-credential list --identity-name NAME --resource-group GROUP > credentials.json',
  'azure Microsoft.Authorization/roleAssignments/read': (question) =>
    sh`az role assignment list --assignee ${textAt(question.input, 'principalId') ?? 'PRINCIPAL_ID'} --all > role-assignments.json`,
  'azure Microsoft.Storage/storageAccounts/read': (question) =>
    sh`az storage account show -n ${word(question, 'name')} > storage-account.json`,
  'azure Microsoft.ContainerService/managedClusters/identityBindings/read': () =>
    'az aks identity-binding list -g GROUP --cluster-name CLUSTER > identity-bindings.json',
  'azure entra openid-configuration': () => 'run kubectl wi doctor against the cluster',
  'azure entra oauth2/v2.0/token': () => 'run kubectl wi doctor against the cluster',
  'clock now': () => 'kubectl wi collect, which writes down when it asked',
}

/** The command whose output, put beside the other documents, would answer this question. */
export function liftOf(question: Question): string | undefined {
  if (question.system === 'kubernetes') return kubernetesLift(question)
  const key = `${question.system} ${question.call}`
  return Object.hasOwn(lifts, key) ? lifts[key]?.(question) : undefined
}
