/** Which command prints the document that would answer a question. */
import type { Question } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'

const word = (question: Question, name: string): string => textAt(question.input, name) ?? name.toUpperCase()

function kubernetesLift(question: Question): string {
  const { call } = question
  if (call.startsWith('nonresource '))
    return `kubectl get --raw ${call.slice('nonresource '.length, call.lastIndexOf('/'))} > apiserver.json`
  if (call === 'config') return 'kubectl config view --minify > kubeconfig.yaml'
  if (call === 'serviceaccounts/token/create')
    return `kubectl create token ${word(question, 'name')} -n ${word(question, 'namespace')} --audience ${word(question, 'audience')} > ${word(question, 'name')}.jwt`
  const [resource = '', verb] = call.split('/')
  const namespace = textAt(question.input, 'namespace')
  const name = verb === 'get' ? ` ${word(question, 'name')}` : ''
  return `kubectl get ${resource}${name}${namespace === undefined ? (name === '' ? ' -A' : '') : ` -n ${namespace}`} -o yaml > ${resource}.yaml`
}

const lifts: { readonly [call: string]: (question: Question) => string } = {
  'oidc discovery': (question) =>
    `curl ${word(question, 'issuer').replace(/\/$/, '')}/.well-known/openid-configuration > discovery.json`,
  'oidc jwks': (question) => `curl ${textAt(question.input, 'uri') || 'JWKS_URI'} > jwks.json`,
  'oidc certificates': (question) => {
    const host = word(question, 'host')
    return `openssl s_client -showcerts -servername ${host} -connect ${host}:${question.input.port ?? 443} < /dev/null > ${host}.pem`
  },
  'oidc signature': (question) =>
    `kubectl create token ${word(question, 'name')} -n ${word(question, 'namespace')} --audience ${word(question, 'audience')} > ${word(question, 'name')}.jwt, and curl ${word(question, 'uri')} > jwks.json`,
  'aws sts:GetCallerIdentity': () => 'aws sts get-caller-identity > caller.json',
  'aws eks:DescribeCluster': () => 'aws eks describe-cluster --name CLUSTER > cluster.json',
  'aws iam:GetRole': (question) =>
    `aws iam get-role --role-name ${word(question, 'RoleName')} > ${word(question, 'RoleName')}.json`,
  'aws iam:ListRoles': () => 'aws iam list-roles > roles.json',
  'aws iam:ListOpenIDConnectProviders': (question) =>
    `aws iam list-open-id-connect-providers > ${word(question, 'account')}.json`,
  'aws iam:GetOpenIDConnectProvider': (question) => {
    const arn = word(question, 'OpenIDConnectProviderArn')
    return `aws iam get-open-id-connect-provider --open-id-connect-provider-arn ${arn} > ${arn.split(':')[4] || 'ACCOUNT'}.json`
  },
  'aws eks:ListPodIdentityAssociations': () =>
    'aws eks list-pod-identity-associations --cluster-name CLUSTER > associations.json',
  'aws sts:AssumeRoleWithWebIdentity': () => 'run kubectl wi doctor against the cluster',
  'aws organizations:ListPolicies': () =>
    'aws organizations list-policies --filter RESOURCE_CONTROL_POLICY > policies.json',
  'gcp iam.workloadIdentityPoolProviders.list': () =>
    'gcloud iam workload-identity-pools providers list --workload-identity-pool POOL --location global --format json > providers.json',
  'azure Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials/read': () =>
    'az identity federated-credential list --identity-name NAME --resource-group GROUP > credentials.json',
  'clock now': () => 'kubectl wi collect, which writes down when it asked',
}

/** The command whose output, put beside the other documents, would answer this question. */
export function liftOf(question: Question): string | undefined {
  if (question.system === 'kubernetes') return kubernetesLift(question)
  const key = `${question.system} ${question.call}`
  return Object.hasOwn(lifts, key) ? lifts[key]?.(question) : undefined
}
