/** Changes to Google Cloud as blocks of Terraform: a grant as one member, never as the authoritative binding or policy. */
import { at, isObject, type Json, type JsonObject, textsAt } from '../core/json.ts'
import { type Argument, argument, block, hcl, text } from './terraform-blocks.ts'

type Made = (input: JsonObject) => string | undefined

const projectIn = (email: string): string => /@([a-z0-9.-]+)\.iam\.gserviceaccount\.com$/.exec(email)?.[1] ?? '-'

/** https://registry.terraform.io/providers/hashicorp/google/latest/docs/resources/google_service_account_iam */
const member =
  (type: string, of: (input: JsonObject) => Argument): Made =>
  (input) =>
    input.there === true
      ? block(type, text(input, 'member').replace(/^.*[/:[](?=[^/:[]+[/\]])/, ''), [
          of(input),
          argument('role', input.role),
          argument('member', input.member),
        ])
      : undefined

const inner = (name: string, key: string, value: Json | undefined): string =>
  `  ${name} {\n    ${key} = ${hcl(value ?? null, '    ')}\n  }\n`

const ofProvider: { readonly [field: string]: (after: Json | undefined) => readonly [Argument[], string] } = {
  disabled: (after) => [[argument('disabled', after)], ''],
  attributeMapping: (after) => [[argument('attribute_mapping', isObject(after) ? after : {})], ''],
  'oidc.issuerUri': (after) => [[], inner('oidc', 'issuer_uri', after)],
  'oidc.allowedAudiences': (after) => [[], inner('oidc', 'allowed_audiences', after)],
  'oidc.jwksJson': (after) => [[], inner('oidc', 'jwks_json', after)],
}

const provider: Made = (input) => {
  const [, pool = '', id = ''] = /\/workloadIdentityPools\/([^/]+)\/providers\/([^/]+)$/.exec(text(input, 'name')) ?? []
  const made = ofProvider[textsAt(input, 'field').join('.')]?.(at(input, 'after'))
  if (made === undefined) return undefined
  const [body, nested] = made
  const names = [
    argument('workload_identity_pool_id', pool),
    argument('workload_identity_pool_provider_id', id),
    ...body,
  ]
  return block('google_iam_workload_identity_pool_provider', id, names, nested)
}

const located = (input: JsonObject, name: string): readonly Argument[] => [
  argument('project', input.project),
  argument('location', input.location),
  argument('name', input[name]),
]

export const googleBlocks: { readonly [call: string]: Made } = {
  'iam.serviceAccounts.setIamPolicy': member('google_service_account_iam_member', (input) => {
    const email = text(input, 'email')
    return argument('service_account_id', `projects/${projectIn(email)}/serviceAccounts/${email}`)
  }),
  'resourcemanager.projects.setIamPolicy': member('google_project_iam_member', (input) =>
    argument('project', input.project),
  ),
  'storage.buckets.setIamPolicy': member('google_storage_bucket_iam_member', (input) =>
    argument('bucket', input.bucket),
  ),
  'iam.workloadIdentityPoolProviders.update': provider,
  'iam.workloadIdentityPools.update': (input) =>
    block('google_iam_workload_identity_pool', text(input, 'name').split('/').at(-1) ?? '', [
      argument('workload_identity_pool_id', text(input, 'name').split('/').at(-1) ?? ''),
      argument('disabled', input.after),
    ]),
  'container.clusters.update': (input) =>
    block(
      'google_container_cluster',
      text(input, 'cluster'),
      located(input, 'cluster'),
      inner('workload_identity_config', 'workload_pool', input.workloadPool),
    ),
  'container.nodePools.update': (input) =>
    block(
      'google_container_node_pool',
      text(input, 'nodePool'),
      [...located(input, 'nodePool'), argument('cluster', input.cluster)],
      `  node_config {\n    workload_metadata_config {\n      mode = ${hcl(input.mode ?? null, '      ')}\n    }\n  }\n`,
    ),
  'serviceusage.services.enable': (input) =>
    block('google_project_service', text(input, 'service'), [
      argument('project', input.project),
      argument('service', input.service),
      argument('disable_on_destroy', false),
    ]),
}
