/** The identities that CloudTik derives for the two ServiceAccounts of a workspace, once they were seen to exist. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { googleAccount, identityName, type Part, parts, roleName } from '../../domain/cloudtik.ts'
import { aws, gcp } from '../../domain/questions.ts'
import { clientIds } from './storage.ts'
import { workspace } from './workspace.ts'

/** By part, what the annotation of its ServiceAccount is to say; without those that were not seen. */
export const derived = defineProbe({
  id: 'cloudtik/derived',
  about: 'the identities of the workspace',
  scope: 'object',
  needs: {},
  wants: { workspace, clientIds },
  ask: async (_have, { workspace, clientIds }, { ask }): Promise<Fact<ReadonlyMap<Part, string>>> => {
    if (workspace.state !== 'known') return absent(workspace.from)
    const { name, namespace, cloud, values } = workspace.value
    const found = new Map<Part, string>()
    for (const part of parts) {
      if (cloud === 'azure') {
        const id = clientIds.state === 'known' ? clientIds.value.get(identityName(name, part)) : undefined
        if (id !== undefined) found.set(part, id)
      } else if (cloud === 'gcp') {
        const email = `${googleAccount(name, part)}@${values.project_id ?? ''}.iam.gserviceaccount.com`
        if ((await ask(gcp.serviceAccount(email))).state === 'known') found.set(part, email)
      } else if (cloud === 'aws') {
        const role = await ask(aws.role(undefined, roleName(namespace)))
        const arn = role.state === 'known' ? textAt(role.value, 'Role', 'Arn') : undefined
        if (arn !== undefined && parseRoleArn(arn) !== undefined) found.set(part, arn)
      }
    }
    return found.size === 0 ? absent(workspace.from) : known(found, workspace.from)
  },
})
