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
