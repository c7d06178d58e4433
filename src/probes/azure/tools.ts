/** Tools' own configurations that name an identity; looked for only where Entra has refused something. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { codesIn } from '../../domain/azure-errors.ts'
import { kubernetes } from '../../domain/questions.ts'
import { listed } from '../lists.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { isClientId } from './reference.ts'

export type ToolConfiguration = { readonly object: string; readonly clientId: string }

const resources = [
  'triggerauthentications',
  'clustertriggerauthentications',
  'secretstores',
  'clustersecretstores',
] as const
const paths = [
  ['spec', 'podIdentity', 'identityId'],
  ['spec', 'provider', 'azurekv', 'identityId'],
] as const

/** Never unknown: a tool that is not installed has no configuration. */
export const toolConfigurations = defineProbe({
  id: 'azure/tool-configurations',
  about: "tools' own configurations that name an identity",
  scope: 'service-account',
  needs: {},
  wants: { errorsOfServiceAccount },
  ask: async (_have, { errorsOfServiceAccount }, { ask, subject }): Promise<Fact<readonly ToolConfiguration[]>> => {
    const { from } = errorsOfServiceAccount
    const refused =
      errorsOfServiceAccount.state === 'known' &&
      errorsOfServiceAccount.value.some(({ text }) => codesIn(text).length > 0)
    if (!refused) return absent(from)
    const found: ToolConfiguration[] = []
    for (const resource of resources) {
      const list = listed(
        await ask(kubernetes.list(resource, resource.startsWith('cluster') ? undefined : subject.namespace)),
        (json) => {
          const clientId = paths
            .map((path) => textAt(json, ...path))
            .find((one) => one !== undefined && isClientId(one))
          return {
            object: `${textAt(json, 'kind') ?? resource} ${textAt(json, 'metadata', 'name') ?? ''}`,
            clientId: clientId ?? '',
          }
        },
      )
      if (list.state === 'known') found.push(...list.value.items.filter(({ clientId }) => clientId !== ''))
    }
    return found.length === 0 ? absent(from) : known(found, kubernetes.list('triggerauthentications'))
  },
})
