/** Changes to Google Cloud as the gcloud commands that a person would type. */
import { isList, isObject, type Json, type JsonObject, textAt, textsAt } from '../core/json.ts'
import { sh } from './shell-words.ts'

type Line = (input: JsonObject, text: (name: string) => string) => string | undefined

/** Without `--condition=None` gcloud asks which of several bindings of the role is meant, or refuses. */
const member = (subject: (text: (name: string) => string) => string): Line => {
  return (input, text) => {
    const verb = input.there === true ? 'add-iam-policy-binding' : 'remove-iam-policy-binding'
    return `gcloud ${subject(text).replace('VERB', verb)}${sh` --role=${text('role')} --member=${text('member')}`} --condition=None`
  }
}

const flags: { readonly [field: string]: string } = {
  'oidc.issuerUri': '--issuer-uri',
  'oidc.allowedAudiences': '--allowed-audiences',
}

/** gcloud parts a map at commas, which expressions have: `^;^` names another sign. */
function mapping(value: Json | undefined): string | undefined {
  const pairs = Object.entries(isObject(value) ? value : {}).map(([key, expression]) => `${key}=${String(expression)}`)
  const sign = [';', '|', '~', '#'].find((one) => !pairs.some((pair) => pair.includes(one)))
  return sign === undefined ? undefined : sh` --attribute-mapping=${`^${sign}^${pairs.join(sign)}`}`
}

/** `update` of a pool or `update-oidc` of a provider; undefined for a field that gcloud has no flag for. */
const field = (group: string): Line => {
  return (input, text) => {
    const name = textsAt(input, 'field').join('.')
    const { after } = input
    const flag = flags[name]
    if (name === 'attributeMapping') {
      const words = mapping(after)
      return words === undefined
        ? undefined
        : `gcloud iam workload-identity-pools ${group} ${sh`${text('name')}`}${words}`
    }
    // It takes the name of a file.
    if (name === 'oidc.jwksJson')
      return `${sh`printf %s ${String(after)}`} | gcloud iam workload-identity-pools ${group} ${sh`${text('name')}`} --jwk-json-path=/dev/stdin`
    if (name === 'disabled')
      return `gcloud iam workload-identity-pools ${group} ${sh`${text('name')}`} ${after === true ? '--disabled' : '--no-disabled'}`
    if (flag === undefined || after === undefined) return undefined
    const value = isList(after) ? after.map(String).join(',') : String(after)
    return `gcloud iam workload-identity-pools ${group} ${sh`${text('name')}`} ${flag}=${sh`${value}`}`
  }
}

const lines: { readonly [call: string]: Line } = {
  'iam.serviceAccounts.setIamPolicy': member((text) => `iam service-accounts VERB ${sh`${text('email')}`}`),
  'resourcemanager.projects.setIamPolicy': member((text) => `projects VERB ${sh`${text('project')}`}`),
  'storage.buckets.setIamPolicy': member((text) => `storage buckets VERB ${sh`${`gs://${text('bucket')}`}`}`),
  'iam.workloadIdentityPoolProviders.update': field('providers update-oidc'),
  'iam.workloadIdentityPools.update': field('update'),
  'container.clusters.update': (_, text) =>
    sh`gcloud container clusters update ${text('cluster')} --project=${text('project')} --location=${text('location')} --workload-pool=${text('workloadPool')}`,
  'container.nodePools.update': (_, text) =>
    sh`gcloud container node-pools update ${text('nodePool')} --cluster=${text('cluster')} --project=${text('project')} --location=${text('location')} --workload-metadata=${text('mode')}`,
  'serviceusage.services.enable': (_, text) =>
    sh`gcloud services enable ${text('service')} --project=${text('project')}`,
}

/** The command line, on one line; undefined for a change that has none. */
export function gcloudCommand(call: string, input: JsonObject): string | undefined {
  const line = Object.hasOwn(lines, call) ? lines[call] : undefined
  return line?.(input, (name) => textAt(input, name) ?? '')
}
