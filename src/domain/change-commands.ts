/** A change as the command that a person would type, and as the document that a person would keep. */
import { edited, isGuard } from '../core/edit.ts'
import { at, isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import { fileCommand } from './file-commands.ts'
import { gcloudCommand } from './gcp-commands.ts'
import { sh } from './shell-words.ts'

type Edit = { readonly path: readonly (string | number)[]; readonly before?: Json; readonly after?: Json }

const editsOf = (input: JsonObject): readonly Edit[] =>
  listAt(input, 'edits').flatMap((one) => {
    const path = listAt(one, 'path').filter((step) => typeof step === 'string' || typeof step === 'number')
    const [before, after] = [at(one, 'before'), at(one, 'after')]
    return [{ path, ...(before === undefined ? {} : { before }), ...(after === undefined ? {} : { after }) }]
  })

const pointer = (path: Edit['path']): string =>
  path.map((step) => `/${String(step).replaceAll('~', '~0').replaceAll('/', '~1')}`).join('')

/** As a merge patch: null removes. Only where no member of a list is changed by its place. */
const merge = (edits: readonly Edit[]): Json =>
  edits.reduce<Json>((patch, { path, after }) => edited(patch, path, after ?? null) ?? patch, {})

const throughLists = ({ path }: Edit): boolean => path.some((step) => typeof step === 'number' || step === '-')

function patchCommand(resource: string, input: JsonObject): string | undefined {
  const edits = editsOf(input)
  const target = `${resource}/${textAt(input, 'name') ?? ''}`
  const namespace = textAt(input, 'namespace')
  const where = namespace === undefined ? '' : sh` -n ${namespace}`
  for (const [map, verb] of [
    ['annotations', 'annotate'],
    ['labels', 'label'],
  ] as const) {
    const isOfMap = ({ path, after }: Edit): boolean =>
      path.length === 3 &&
      path[0] === 'metadata' &&
      path[1] === map &&
      (after === undefined || typeof after === 'string')
    if (!edits.every(isOfMap)) continue
    const words = edits.map(({ path, after }) =>
      after === undefined ? sh`${`${path[2]}-`}` : sh`${`${path[2]}=${after}`}`,
    )
    return `kubectl ${verb} ${sh`${target}`}${where} ${words.join(' ')}${edits.some(({ after }) => after !== undefined) ? ' --overwrite' : ''}`
  }
  if (!edits.some(throughLists))
    return `kubectl patch ${sh`${target}`}${where} --type=merge -p ${sh`${JSON.stringify(merge(edits))}`}`
  // Which index a member will have that goes out by its value is not known before.
  if (edits.some(({ path, after }) => path.at(-1) === '-' && after === undefined)) return undefined
  const operations = edits.flatMap((edit): readonly Json[] => {
    const { path, before, after } = edit
    const here = pointer(path)
    if (isGuard(edit)) return [{ op: 'test', path: here, value: before ?? null }]
    const held = before === undefined ? [] : [{ op: 'test', path: here, value: before }]
    if (after === undefined) return [...held, { op: 'remove', path: here }]
    return [...held, { op: before === undefined ? 'add' : 'replace', path: here, value: after }]
  })
  return `kubectl patch ${sh`${target}`}${where} --type=json -p ${sh`${JSON.stringify(operations)}`}`
}

function kubectl(call: string, input: JsonObject): string | undefined {
  const [, resource = '', verb] = /^(.+)\/([a-z]+)$/.exec(call) ?? []
  const target = `${resource}/${textAt(input, 'name') ?? ''}`
  const namespace = textAt(input, 'namespace')
  const where = namespace === undefined ? '' : sh` -n ${namespace}`
  if (verb === 'patch') return patchCommand(resource, input)
  if (verb === 'restart') return `${sh`kubectl rollout restart ${target}`}${where}`
  if (verb === 'approve') return sh`kubectl certificate approve ${textAt(input, 'name') ?? ''}`
  if (verb === 'delete') return `${sh`kubectl delete ${target}`}${where}`
  if (verb === 'create') return `printf %s ${sh`${JSON.stringify(at(input, 'object') ?? null)}`} | kubectl create -f -`
  return undefined
}

const document = (value: Json | undefined): string =>
  typeof value === 'string' ? value : JSON.stringify(value ?? null)

type Line = (input: JsonObject, text: (name: string) => string) => string

const association = (text: (name: string) => string): string =>
  sh`--cluster-name ${text('clusterName')} --association-id "$(aws eks list-pod-identity-associations --cluster-name ${text('clusterName')} --namespace ${text('namespace')} --service-account ${text('serviceAccount')} --query 'associations[0].associationId' --output text)"`

const awsLines: { readonly [call: string]: Line } = {
  'iam:UpdateAssumeRolePolicy': (input, text) => {
    const update = sh`aws iam update-assume-role-policy --role-name ${text('RoleName')} --policy-document ${document(input.PolicyDocument)}`
    if (!isObject(input.from)) return update
    // IAM has no write that depends on what is there, so another's change within this second is still lost; keys come in the order in which they are stored.
    const now = sh`aws iam get-role --role-name ${text('RoleName')} --query Role.AssumeRolePolicyDocument --output json`
    const was = sh`${JSON.stringify(input.from).replaceAll(' ', '')}`
    const moved = sh`${`the trust policy of role ${text('RoleName')} has moved; nothing was changed`}`
    return `(test "$(${now} | tr -d '[:space:]')" = ${was} || { echo ${moved} >&2; exit 1; }; ${update})`
  },
  'iam:CreateOpenIDConnectProvider': (input, text) =>
    `${sh`aws iam create-open-id-connect-provider --url ${text('Url')} --client-id-list`}${textsAt(
      input,
      'ClientIDList',
    )
      .map((one) => sh` ${one}`)
      .join('')}`,
  'iam:DeleteOpenIDConnectProvider': (_, text) =>
    sh`aws iam delete-open-id-connect-provider --open-id-connect-provider-arn ${text('OpenIDConnectProviderArn')}`,
  'iam:AddClientIDToOpenIDConnectProvider': (_, text) =>
    sh`aws iam add-client-id-to-open-id-connect-provider --open-id-connect-provider-arn ${text('OpenIDConnectProviderArn')} --client-id ${text('ClientID')}`,
  'iam:RemoveClientIDFromOpenIDConnectProvider': (_, text) =>
    sh`aws iam remove-client-id-from-open-id-connect-provider --open-id-connect-provider-arn ${text('OpenIDConnectProviderArn')} --client-id ${text('ClientID')}`,
  'iam:CreateRole': (input, text) =>
    sh`aws iam create-role --role-name ${text('RoleName')} --assume-role-policy-document ${document(input.AssumeRolePolicyDocument)}`,
  'iam:DeleteRole': (_, text) => sh`aws iam delete-role --role-name ${text('RoleName')}`,
  'iam:AttachRolePolicy': (_, text) =>
    sh`aws iam attach-role-policy --role-name ${text('RoleName')} --policy-arn ${text('PolicyArn')}`,
  'iam:DetachRolePolicy': (_, text) =>
    sh`aws iam detach-role-policy --role-name ${text('RoleName')} --policy-arn ${text('PolicyArn')}`,
  'iam:PutRolePolicy': (input, text) =>
    sh`aws iam put-role-policy --role-name ${text('RoleName')} --policy-name ${text('PolicyName')} --policy-document ${document(input.PolicyDocument)}`,
  'iam:DeleteRolePolicy': (_, text) =>
    sh`aws iam delete-role-policy --role-name ${text('RoleName')} --policy-name ${text('PolicyName')}`,
  'iam:UpdateRole': (input, text) =>
    sh`aws iam update-role --role-name ${text('RoleName')} --max-session-duration ${String(input.MaxSessionDuration)}`,
  'iam:UpdateOpenIDConnectProviderThumbprint': (input, text) =>
    `${sh`aws iam update-open-id-connect-provider-thumbprint --open-id-connect-provider-arn ${text('OpenIDConnectProviderArn')} --thumbprint-list`}${textsAt(
      input,
      'ThumbprintList',
    )
      .map((one) => sh` ${one}`)
      .join('')}`,
  'eks:CreateAddon': (_, text) =>
    sh`aws eks create-addon --cluster-name ${text('clusterName')} --addon-name ${text('addonName')}`,
  'eks:DeleteAddon': (_, text) =>
    sh`aws eks delete-addon --cluster-name ${text('clusterName')} --addon-name ${text('addonName')}`,
  'eks:UpdateAddon': (input, text) =>
    sh`aws eks update-addon --cluster-name ${text('clusterName')} --addon-name ${text('addonName')} --configuration-values ${document(input.configurationValues)}`,
  'eks:CreatePodIdentityAssociation': (_, text) =>
    sh`aws eks create-pod-identity-association --cluster-name ${text('clusterName')} --namespace ${text('namespace')} --service-account ${text('serviceAccount')} --role-arn ${text('roleArn')}`,
  'eks:DeletePodIdentityAssociation': (_, text) => `aws eks delete-pod-identity-association ${association(text)}`,
  'eks:UpdatePodIdentityAssociation': (_, text) =>
    `aws eks update-pod-identity-association ${association(text)}${sh` --role-arn ${text('roleArn')}`}`,
  'eks:CreateAccessEntry': (input, text) => {
    const groups = textsAt(input, 'kubernetesGroups').map((one) => sh` ${one}`)
    const username = textAt(input, 'username')
    const named = username === undefined ? '' : sh` --username ${username}`
    const tagged = isObject(input.tags) ? sh` --tags ${JSON.stringify(input.tags)}` : ''
    return `${sh`aws eks create-access-entry --cluster-name ${text('clusterName')} --principal-arn ${text('principalArn')} --type ${text('type')}`}${groups.length === 0 ? '' : ` --kubernetes-groups${groups.join('')}`}${named}${tagged}`
  },
  'eks:DeleteAccessEntry': (_, text) =>
    sh`aws eks delete-access-entry --cluster-name ${text('clusterName')} --principal-arn ${text('principalArn')}`,
  'eks:AssociateAccessPolicy': (input, text) =>
    sh`aws eks associate-access-policy --cluster-name ${text('clusterName')} --principal-arn ${text('principalArn')} --policy-arn ${text('policyArn')} --access-scope ${document(input.accessScope)}`,
  'eks:DisassociateAccessPolicy': (_, text) =>
    sh`aws eks disassociate-access-policy --cluster-name ${text('clusterName')} --principal-arn ${text('principalArn')} --policy-arn ${text('policyArn')}`,
}

const managedFederation = 'Microsoft.ManagedIdentity/userAssignedIdentities/federatedIdentityCredentials'
const applicationFederation = 'graph applications/federatedIdentityCredentials'

/** `--subscription … -g … --identity-name …` of a resource id. */
function identityWords(id: string): string {
  const [, subscription = '', group = '', name = ''] =
    /^\/subscriptions\/([^/]+)\/resourceGroups\/([^/]+)\/.*\/([^/]+)$/i.exec(id) ?? []
  return sh`--identity-name ${name} -g ${group} --subscription ${subscription}`
}

const azureLines: { readonly [call: string]: Line } = {
  [`${managedFederation}/write`]: (input, text) =>
    `${sh`az identity federated-credential ${at(input, 'from') === undefined ? 'create' : 'update'} --name ${text('name')}`} ${identityWords(text('identity'))} ${sh`--issuer ${text('issuer')} --subject ${text('subject')} --audiences`}${textsAt(
      input,
      'audiences',
    )
      .map((one) => sh` ${one}`)
      .join('')}`,
  [`${managedFederation}/delete`]: (_, text) =>
    `${sh`az identity federated-credential delete --name ${text('name')}`} ${identityWords(text('identity'))} --yes`,
  [`${applicationFederation}/write`]: (input, text) => {
    const values = { issuer: text('issuer'), subject: text('subject'), audiences: textsAt(input, 'audiences') }
    return at(input, 'from') === undefined
      ? sh`az ad app federated-credential create --id ${text('application')} --parameters ${JSON.stringify({ name: text('name'), ...values })}`
      : sh`az ad app federated-credential update --id ${text('application')} --federated-credential-id ${text('name')} --parameters ${JSON.stringify(values)}`
  },
  [`${applicationFederation}/delete`]: (_, text) =>
    sh`az ad app federated-credential delete --id ${text('application')} --federated-credential-id ${text('name')}`,
  'Microsoft.Authorization/roleAssignments/write': (_, text) =>
    sh`az role assignment create --name ${text('name')} --assignee-object-id ${text('principalId')} --assignee-principal-type ServicePrincipal --role ${text('role')} --scope ${text('scope')}`,
  'Microsoft.Authorization/roleAssignments/delete': (_, text) =>
    sh`az role assignment delete --ids ${`${text('scope')}/providers/Microsoft.Authorization/roleAssignments/${text('name')}`}`,
}

/** The command line, on one line; undefined for a change that has none. */
export function commandOf({ system, call, input }: Change): string | undefined {
  if (system === 'kubernetes') return kubectl(call, input)
  if (system === 'gcp') return gcloudCommand(call, input)
  if (system === 'document') return fileCommand(input)
  const lines = system === 'azure' ? azureLines : awsLines
  const line = Object.hasOwn(lines, call) ? lines[call] : undefined
  return line?.(input, (name) => textAt(input, name) ?? '')
}

const kinds: { readonly [resource: string]: readonly [apiVersion: string, kind: string] } = {
  serviceaccounts: ['v1', 'ServiceAccount'],
  configmaps: ['v1', 'ConfigMap'],
  namespaces: ['v1', 'Namespace'],
  services: ['v1', 'Service'],
  pods: ['v1', 'Pod'],
  deployments: ['apps/v1', 'Deployment'],
  statefulsets: ['apps/v1', 'StatefulSet'],
  daemonsets: ['apps/v1', 'DaemonSet'],
  cronjobs: ['batch/v1', 'CronJob'],
  mutatingwebhookconfigurations: ['admissionregistration.k8s.io/v1', 'MutatingWebhookConfiguration'],
  clusterrolebindings: ['rbac.authorization.k8s.io/v1', 'ClusterRoleBinding'],
  clusterroles: ['rbac.authorization.k8s.io/v1', 'ClusterRole'],
}

/** What a repository would hold: the members of an object that change, or the arguments of the call. */
export function documentOf({ system, call, input }: Change): JsonObject {
  const [, resource = '', verb] = /^(.+)\/([a-z]+)$/.exec(call) ?? []
  const object = at(input, 'object')
  if (system === 'kubernetes' && verb === 'create' && isObject(object)) return object
  const kind = kinds[resource]
  const edits = editsOf(input)
  if (system !== 'kubernetes' || kind === undefined || verb !== 'patch' || edits.some(throughLists))
    return { call, ...input }
  const [apiVersion, name] = kind
  const metadata = Object.fromEntries(
    ['name', 'namespace'].flatMap((key) => (input[key] === undefined ? [] : [[key, input[key] ?? null]])),
  )
  const patch = edits.reduce<Json>((made, { path, after }) => edited(made, path, after ?? null) ?? made, {
    apiVersion,
    kind: name,
    metadata,
  })
  return isObject(patch) ? patch : { call, ...input }
}
