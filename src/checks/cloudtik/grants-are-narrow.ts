/** Whether what CloudTik grants to a workspace stays within it, and ends with it. */
import { defineCheck } from '../../core/check.ts'
import { isList, isObject, type Json } from '../../core/json.ts'
import { advice, changeTrust } from '../../domain/advice.ts'
import { subjectsOf } from '../../domain/capa-bootstrap.ts'
import { accounts, bucketPrefix, isOwnBucket } from '../../domain/cloudtik.ts'
import { sh } from '../../domain/shell-words.ts'
import { attached, bucketsOf, groupGrants, projectGrants, workspaceRole } from '../../probes/cloudtik/storage.ts'
import { namespaceOf, workspace } from '../../probes/cloudtik/workspace.ts'

const whole = /^AmazonS3FullAccess$|^AdministratorAccess$/
const statementsOf = (policy: Json) => {
  const found = isObject(policy) ? policy.Statement : undefined
  return (isList(found) ? found : found === undefined ? [] : [found]).filter(isObject)
}
const after = 'after each cloudtik workspace update, which writes its own again'
type Role = { readonly role: string }

export const check = defineCheck({
  meta: {
    id: 'cloudtik/grants-are-narrow',
    title: "The workspace's grants stay within the workspace and end with it",
    severity: 'warning',
    scope: 'object',
    kinds: ['Workspace'],
    cloud: 'any',
    section: 'CloudTik',
    why: 'CloudTik grants to everybody in the namespace, and on the whole account, project or resource group.',
    fix: {
      safety: 'manual',
      does: 'Apply the narrower trust (the two ServiceAccounts by name) and grant (the one bucket or container) after each cloudtik workspace update, which writes its own again.',
    },
    links: ['https://github.com/oap-project/cloudtik'],
  },
  only: { probe: workspace, otherwise: 'it is no CloudTik workspace' },
  needs: { workspace },
  wants: { workspaceRole, attached, projectGrants, groupGrants, bucketsOf, namespaceOf },
  after: [],
  messages: {
    'any-service-account': ({ role, namespace, policies }: Role & { namespace: string; policies: string }) =>
      `role ${role} trusts every ServiceAccount of ${namespace} and holds ${policies}`,
    'all-buckets': ({ role, policy, storage }: Role & { policy: string; storage: string }) =>
      `role ${role} holds ${policy}: every bucket of the account, not only ${storage}`,
    'whole-project': ({
      member,
      role,
      project,
      storage,
    }: Role & { member: string; project: string; storage: string }) =>
      `${member} holds ${role} on project ${project}; the workspace needs ${storage}`,
    'whole-resource-group': ({
      identity,
      role,
      group,
      storage,
    }: Role & { identity: string; group: string; storage: string }) =>
      `${identity} holds ${role} on resource group ${group}; the workspace needs ${storage}`,
    'left-behind': ({ object, workspace }: { object: string; workspace: string }) =>
      `${object} belongs to workspace ${workspace}, which no longer exists`,
  },
  remedies: {
    'any-service-account': ({ role, namespace }) =>
      advice(
        `Write system:serviceaccount:${namespace}:${accounts.head} and system:serviceaccount:${namespace}:${accounts.worker} in the place of the star in the trust policy of ${role}, and a policy for the one bucket in the place of the attached one, ${after}.`,
        ...changeTrust(role),
      ),
    'all-buckets': ({ role, policy, storage }) =>
      advice(
        `Give role ${role} a policy for ${storage} in the place of ${policy}, ${after}.`,
        sh`aws iam list-attached-role-policies --role-name ${role}`,
      ),
    'whole-project': ({ member, role, storage }) =>
      advice(
        `Have the owner of the project grant ${role} to ${member} on ${storage} only, and take the grant on the project away, ${after}.`,
      ),
    'whole-resource-group': ({ identity, role, storage }) =>
      advice(
        `Have the owner of the resource group assign ${role} to ${identity} on ${storage} only, and take the wider assignment away, ${after}.`,
      ),
    'left-behind': ({ object }) =>
      advice(
        `Have its owner look whether anybody still needs ${object}, and delete it if not.`,
        'kubectl get namespaces',
      ),
  },
  judge: ({ have, want: { workspaceRole, attached, projectGrants, groupGrants, bucketsOf, namespaceOf } }) => {
    if (have.workspace.state === 'absent') return { status: 'not-applicable', reason: 'it is no CloudTik workspace' }
    const { name: workspace, namespace, cloud, values } = have.workspace.value
    if (cloud === undefined)
      return { status: 'not-applicable', reason: 'the workspace is of no cloud that has identities' }
    const region = values.region ?? ''
    const storage = cloud === 'azure' ? `container cloudtik-${workspace}` : `bucket ${bucketPrefix(workspace)}-…`
    if (workspaceRole.state === 'known') {
      const { name: role, policy } = workspaceRole.value
      const subjects = subjectsOf(statementsOf(policy))
      const star = subjects.find((one) => one === `system:serviceaccount:${namespace}:*`)
      const names = attached.state === 'known' ? attached.value.items : []
      const seen = { question: attached.from, path: 'AttachedPolicies', observed: [...names] }
      const broad = names.find((one) => whole.test(one))
      if (star !== undefined && names.length > 0)
        return {
          status: 'fail',
          message: 'any-service-account',
          data: { role, namespace, policies: names.join(', ') },
          evidence: [
            { question: workspaceRole.from, path: 'Role.AssumeRolePolicyDocument', observed: [...subjects] },
            seen,
          ],
        }
      if (broad !== undefined)
        return { status: 'fail', message: 'all-buckets', data: { role, policy: broad, storage }, evidence: [seen] }
    }
    const [granted] = projectGrants.state === 'known' ? projectGrants.value : []
    if (granted !== undefined)
      return {
        status: 'fail',
        message: 'whole-project',
        data: { member: granted.member, role: granted.role, project: granted.scope, storage },
        evidence: [{ question: projectGrants.from, path: 'bindings', observed: granted.role }],
      }
    const [assigned] = groupGrants.state === 'known' ? groupGrants.value : []
    if (assigned !== undefined)
      return {
        status: 'fail',
        message: 'whole-resource-group',
        data: { identity: assigned.member, role: assigned.role, group: assigned.scope, storage },
        evidence: [{ question: groupGrants.from, path: 'assignments', observed: assigned.role }],
      }
    const left =
      bucketsOf.state === 'known' ? bucketsOf.value.items.find((one) => isOwnBucket(one, workspace, region)) : undefined
    if (namespaceOf.state === 'absent' && left !== undefined)
      return {
        status: 'fail',
        message: 'left-behind',
        data: { object: `bucket ${left}`, workspace },
        evidence: [
          { question: bucketsOf.from, path: 'Buckets[].Name', observed: left },
          { question: namespaceOf.from, path: 'metadata.name', observed: null, expected: namespace },
        ],
      }
    const seen = { aws: workspaceRole, gcp: projectGrants, azure: groupGrants }[cloud]
    const complete = cloud !== 'aws' || (attached.state === 'known' && attached.value.complete)
    if (seen.state === 'known' && complete)
      return {
        status: 'pass',
        evidence: [{ question: seen.from, path: 'grants', observed: cloud === 'aws' ? 'narrow' : [] }],
      }
    return seen.state === 'absent'
      ? { status: 'not-applicable', reason: 'CloudTik has granted nothing yet' }
      : { status: 'undecided', lacks: 'what the workspace was granted was not seen' }
  },
})
