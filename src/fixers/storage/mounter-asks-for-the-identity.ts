/** Adds the variables by which rclone and blobfuse2 are told to use the identity; options in commands and files are changed by hand. */
import { check } from '../../checks/storage/mounter-asks-for-the-identity.ts'
import { listAt } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import type { Edit } from '../../domain/kubernetes-changes.ts'
import { findOption } from '../../domain/mounters.ts'
import { changeTemplate, containerIn, named } from '../../domain/template-changes.ts'
import { scene, type Use } from '../../probes/storage/scene.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template, scene }
type Brief = ProposalBrief<typeof needs, Record<never, never>, unknown>

type Variables = { readonly [name: string]: string }

/** Adds variables to the container of the one mounter of this kind; nothing that is there already is changed. */
function tell(
  { have: { template, scene } }: Brief,
  fits: (use: Use) => boolean,
  variables: (use: Use) => Variables | undefined,
): Proposal {
  if (template.state === 'absent' || scene.state === 'absent') return byHand
  const uses = scene.value.uses.filter(fits)
  const [use] = uses
  const wanted = use === undefined || uses.length > 1 ? undefined : variables(use)
  const held = use === undefined ? undefined : containerIn(template.value, use.container.name)
  if (wanted === undefined || held === undefined) return byHand
  const names = Object.keys(wanted)
  const isTaken = listAt(held.json, 'env').some((one) =>
    names.some((name) => JSON.stringify(one).includes(`"${name}"`)),
  )
  const [first, ...rest] = Object.entries(wanted).map(
    ([name, value]): Edit => ({ path: [...held.path, 'env', '-'], after: { name, value } }),
  )
  if (first === undefined || isTaken) return byHand
  const where = `container ${use?.container.name} of ${named(template.value)}`
  const summary = `Set ${names.join(', ')} in ${where}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [first, ...rest]) }]
}

/** A variable of the backend wins over the configuration file: https://rclone.org/docs/#precedence */
const backends: { readonly [tool: string]: string } = {
  'rclone-s3': 'RCLONE_S3_ENV_AUTH',
  'rclone-gcs': 'RCLONE_GCS_ENV_AUTH',
  'rclone-azureblob': 'RCLONE_AZUREBLOB_ENV_AUTH',
}

/** What the webhook of Azure sets, under the names that blobfuse2 reads. */
const renamed: readonly (readonly [wanted: string, option: string, from: string])[] = [
  ['AZURE_STORAGE_SPN_CLIENT_ID', 'clientid', 'AZURE_CLIENT_ID'],
  ['AZURE_STORAGE_SPN_TENANT_ID', 'tenantid', 'AZURE_TENANT_ID'],
  ['AZURE_OAUTH_TOKEN_FILE', 'oauth-token-path', 'AZURE_FEDERATED_TOKEN_FILE'],
]

function ofWebhook({ options }: Use): Variables | undefined {
  const found: { [name: string]: string } = {}
  for (const [wanted, option, from] of renamed) {
    if (findOption(options, wanted) !== undefined || findOption(options, option) !== undefined) continue
    const given = options.find(({ name }) => name === from)?.value
    if (given === undefined || given === null) return undefined
    found[wanted] = given
  }
  return found
}

export const fixer = defineFixer(check, {
  needs,
  wants: {},
  proposals: {
    anonymous: (brief) =>
      tell(
        brief,
        ({ tool }) => backends[tool.tool] !== undefined,
        // What says otherwise of the one remote would win over the backend's variable.
        ({ tool, options }) =>
          options.some(({ name }) => /env[-_]auth$/i.test(name)) ? undefined : { [backends[tool.tool] ?? '']: 'true' },
      ),
    'token-path-missing': (brief) => tell(brief, ({ tool }) => tool.tool === 'blobfuse2', ofWebhook),
  },
})
