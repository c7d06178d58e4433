/** What belongs to a CloudTik workspace in its cloud: identities, grants and storage; asked only of the cloud that it names. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon, unknown } from '../../core/fact.ts'
import { at, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { bucketPrefix, googleAccount, identityName, parts, roleName } from '../../domain/cloudtik.ts'
import { aws, azure, gcp, kubernetes } from '../../domain/questions.ts'
import { type Role, readRole } from '../aws/role.ts'
import { type Listed, listed } from '../lists.ts'
import { readPod } from '../read-once.ts'
import { accountsOf, workspace } from './workspace.ts'

/** Buckets whose names hold that of the workspace, as CloudTik looks for them; of AWS, with storage of its own. */
export const bucketsOf = defineProbe({
  id: 'cloudtik/buckets',
  about: 'the buckets of the workspace',
  scope: 'object',
  needs: {},
  wants: { workspace },
  ask: (_have, { workspace }, { ask }): Soon<Fact<Listed<string>>> => {
    if (workspace.state !== 'known' || workspace.value.cloud !== 'aws' || !workspace.value.managed)
      return absent(aws.buckets())
    const prefix = bucketPrefix(workspace.value.name)
    return onward(ask(aws.buckets()), (answer): Fact<Listed<string>> => {
      const all = listed(answer, (one) => textAt(one, 'Name'), 'Buckets')
      return all.state === 'known'
        ? { ...all, value: { ...all.value, items: all.value.items.filter((name) => name.includes(prefix)) } }
        : all
    })
  },
})

/** Client ids of the identities that CloudTik derives, by name; of Azure. */
export const clientIds = defineProbe({
  id: 'cloudtik/client-ids',
  about: 'the managed identities of the workspace',
  scope: 'object',
  needs: {},
  wants: { workspace },
  ask: (_have, { workspace }, { ask }): Soon<Fact<ReadonlyMap<string, string>>> => {
    const question = azure.managedIdentities()
    if (workspace.state !== 'known' || workspace.value.cloud !== 'azure') return absent(question)
    const names = parts.map((part) => identityName(workspace.value.name, part))
    return onward(ask(question), (answer): Fact<ReadonlyMap<string, string>> => {
      if (answer.state !== 'known') return answer.state === 'absent' ? known(new Map(), question) : answer
      const found = new Map(
        listAt(answer.value, 'identities').flatMap((one) => {
          const name = textAt(one, 'name')
          const id = textAt(one, 'clientId')
          return name === undefined || id === undefined || !names.includes(name) ? [] : [[name, id] as const]
        }),
      )
      return found.size === names.length
        ? known(found, question)
        : unknown('not-collected', 'not all identities of the workspace were seen', question, 'az identity list')
    })
  },
})

const label = 'azure.workload.identity/use'

/** ServiceAccounts of the workspace whose pods lack the label; of Azure. */
export const unlabelled = defineProbe({
  id: 'cloudtik/unlabelled',
  about: 'the labels of the pods of the workspace',
  scope: 'object',
  needs: {},
  wants: { workspace },
  ask: (_have, { workspace }, { ask }): Soon<Fact<readonly string[]>> => {
    if (workspace.state !== 'known' || workspace.value.cloud !== 'azure') return absent(kubernetes.list('pods'))
    const { namespace } = workspace.value
    const question = kubernetes.list('pods', namespace)
    return onward(ask(question), (answer): Fact<readonly string[]> => {
      const pods = listed(answer, readPod)
      if (pods.state !== 'known') return pods
      const own = pods.value.items.filter(
        (pod) => pod.namespace === namespace && /^cloudtik-(?:head|worker)-service-account$/.test(pod.serviceAccount),
      )
      const without = own.filter((pod) => pod.labels[label] !== 'true').map((pod) => pod.serviceAccount)
      return known([...new Set(without)].sort(), question)
    })
  },
})

/** The role that CloudTik makes; of AWS. */
export const workspaceRole = defineProbe({
  id: 'cloudtik/role',
  about: 'the role of the workspace',
  scope: 'object',
  needs: {},
  wants: { workspace, accountsOf },
  ask: (_have, { workspace, accountsOf }, { ask }): Soon<Fact<Role>> => {
    if (workspace.state !== 'known' || workspace.value.cloud !== 'aws') return absent(aws.role(undefined, ''))
    const name = roleName(workspace.value.namespace)
    const held = accountsOf.state === 'known' ? accountsOf.value : []
    const arn = held
      .map(({ account }) =>
        parseRoleArn(account.state === 'known' ? (account.value.annotations[roleAnnotation] ?? '') : ''),
      )
      .find((one) => one?.name === name)
    return onward(ask(aws.role(arn?.account, name)), (answer) => reading(answer, readRole))
  },
})

/** Names of the policies attached to that role. */
export const attached = defineProbe({
  id: 'cloudtik/attached-policies',
  about: 'the policies of the role of the workspace',
  scope: 'object',
  needs: {},
  wants: { workspaceRole },
  ask: (_have, { workspaceRole }, { ask }): Soon<Fact<Listed<string>>> => {
    const arn = workspaceRole.state === 'known' ? parseRoleArn(workspaceRole.value.arn ?? '') : undefined
    if (workspaceRole.state !== 'known') return workspaceRole
    return onward(ask(aws.attachedRolePolicies(arn?.account ?? '', workspaceRole.value.name)), (answer) =>
      listed(answer, (one) => textAt(one, 'PolicyName'), 'AttachedPolicies'),
    )
  },
})

export type Grant = { readonly member: string; readonly role: string; readonly scope: string }

const wide: ReadonlySet<string> = new Set(['roles/storage.admin', 'roles/iam.serviceAccountUser'])

/** Grants on the whole project; of Google Cloud. */
export const projectGrants = defineProbe({
  id: 'cloudtik/project-grants',
  about: 'what the workspace was granted on the project',
  scope: 'object',
  needs: {},
  wants: { workspace },
  ask: (_have, { workspace }, { ask }): Soon<Fact<readonly Grant[]>> => {
    const project = workspace.state === 'known' ? workspace.value.values.project_id : undefined
    if (workspace.state !== 'known' || workspace.value.cloud !== 'gcp' || project === undefined)
      return absent(gcp.projectPolicy(''))
    const members = parts.map(
      (part) => `serviceAccount:${googleAccount(workspace.value.name, part)}@${project}.iam.gserviceaccount.com`,
    )
    return onward(ask(gcp.projectPolicy(project)), (answer) =>
      reading(answer, (json) =>
        listAt(json, 'bindings').flatMap((one) => {
          const role = textAt(one, 'role') ?? ''
          if (!wide.has(role) || at(one, 'condition') !== undefined) return []
          return textsAt(one, 'members').flatMap((member) =>
            members.includes(member) ? [{ member, role, scope: project }] : [],
          )
        }),
      ),
    )
  },
})

/** Grants on a whole resource group or more; of Azure. */
export const groupGrants = defineProbe({
  id: 'cloudtik/group-grants',
  about: 'what the workspace was granted on its resource group',
  scope: 'object',
  needs: {},
  wants: { workspace },
  ask: async (_have, { workspace }, { ask }): Promise<Fact<readonly Grant[]>> => {
    const question = azure.roleAssignments()
    if (workspace.state !== 'known' || workspace.value.cloud !== 'azure') return absent(question)
    const names = parts.map((part) => identityName(workspace.value.name, part))
    const [assignments, identities] = await Promise.all([ask(question), ask(azure.managedIdentities())])
    if (assignments.state !== 'known') return assignments.state === 'absent' ? known([], question) : assignments
    const own = new Map(
      (identities.state === 'known' ? listAt(identities.value, 'identities') : []).flatMap(
        (one): [string, string][] => {
          const name = textAt(one, 'name') ?? ''
          const id = textAt(one, 'principalId')
          return id === undefined || !names.includes(name) ? [] : [[id, name]]
        },
      ),
    )
    const nameOf = (one: Json): string | undefined => {
      const said = textAt(one, 'principalName')
      return (
        own.get(textAt(one, 'principalId') ?? '') ?? (said !== undefined && names.includes(said) ? said : undefined)
      )
    }
    const found = listAt(assignments.value, 'assignments').flatMap((one) => {
      const member = nameOf(one)
      const scope = textAt(one, 'scope') ?? ''
      const group = /^\/subscriptions\/[^/]+\/resourceGroups\/([^/]+)\/?$/i.exec(scope)?.[1]
      const role = textAt(one, 'roleDefinitionName') ?? ''
      return member === undefined || group === undefined || !/Blob Data|Contributor|Owner/.test(role)
        ? []
        : [{ member, role, scope: group }]
    })
    if (found.length > 0) return known(found, question)
    return own.size === names.length && at(assignments.value, 'complete') === true
      ? known([], question)
      : unknown(
          'not-collected',
          'not all role assignments of the identities were seen',
          question,
          'az role assignment list --all',
        )
  },
})
