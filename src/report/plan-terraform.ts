/** A plan as Terraform: the blocks that would hold what changes; what no block can hold is a comment. */
import { isObject, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { PlannedAction, PlanReport } from '../core/plan.ts'
import { awsBlocks, azureBlocks } from './plan-terraform-clouds.ts'
import { googleBlocks } from './plan-terraform-google.ts'
import { remarks } from './plan-text.ts'
import { hcl, label, quoted, text, within } from './terraform-blocks.ts'
import { clean } from './text.ts'

/** https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs/resources/annotations */
function kubernetesBlock({ change: { call, input }, document }: PlannedAction): string | undefined {
  const edits = listAt(input, 'edits')
  const [apiVersion, kind] = [textAt(document, 'apiVersion'), textAt(document, 'kind')]
  if (!call.endsWith('/patch') || apiVersion === undefined || kind === undefined) return undefined
  for (const map of ['annotations', 'labels'] as const) {
    const values = isObject(document.metadata) ? document.metadata[map] : undefined
    const all = edits.every((edit) => listAt(edit, 'path')[1] === map && isObject(edit) && edit.after !== undefined)
    if (!all || values === undefined) continue
    const metadata = isObject(document.metadata)
      ? Object.entries(document.metadata).filter(([key]) => key === 'name' || key === 'namespace')
      : []
    const inner = metadata.map(([key, value]) => `    ${key} = ${hcl(value, '    ')}\n`).join('')
    return `resource "kubernetes_${map}" "${label(text(input, 'name'))}" {\n  api_version = ${quoted(apiVersion)}\n  kind = ${quoted(kind)}\n  metadata {\n${inner}  }\n  ${map} = ${hcl(values, '  ')}\n  force = true\n}\n`
  }
  return undefined
}

/** https://registry.terraform.io/providers/hashicorp/kubernetes/latest/docs/resources/manifest */
const manifest = (object: JsonObject, name: string): string =>
  `resource "kubernetes_manifest" "${label(name)}" {\n  manifest = ${hcl(object, '  ')}\n}\n`

/** A patch of other members stands in whatever holds the object: which members, is what the patch says. */
function elsewhere({ change: { call, input } }: PlannedAction): string | undefined {
  const [resource = '', verb] = call.split(/\/(?=[a-z]+$)/)
  const edits = listAt(input, 'edits').flatMap((edit) => {
    const [before, after] = isObject(edit) ? [edit.before, edit.after] : []
    // What must stand there already is no change.
    if (before !== undefined && JSON.stringify(before) === JSON.stringify(after)) return []
    const path = listAt(edit, 'path').map(String).join('.')
    return [after === undefined ? `${path} goes out` : `${path} = ${JSON.stringify(after)}`]
  })
  const name = [textAt(input, 'namespace'), text(input, 'name')].filter((part) => part !== undefined).join('/')
  return verb === 'patch' && edits.length > 0 ? within(`manifest of ${resource}`, name, edits) : undefined
}

function blockOf(action: PlannedAction): string | undefined {
  const { system, call, input } = action.change
  if (system === 'kubernetes') {
    if (call.endsWith('/create') && isObject(input.object)) return manifest(input.object, text(input, 'name'))
    return kubernetesBlock(action) ?? elsewhere(action)
  }
  const blocks = { aws: awsBlocks, azure: azureBlocks, gcp: googleBlocks }[system]
  return blocks !== undefined && Object.hasOwn(blocks, call) ? blocks[call]?.(input) : undefined
}

function actionBlock(action: PlannedAction): string {
  const { summary, owner, command } = action
  const head = `# ${clean(summary)}\n${owner === undefined ? '' : `# ${clean(`${owner.tool} owns it: ${owner.mark}`)}\n`}`
  const none = `# no resource of Terraform does this${command === undefined ? '' : `: ${clean(command)}`}\n`
  return `${head}${blockOf(action) ?? none}`
}

/** Blocks of what is there already have to be imported first, or take the place of the ones that hold it. */
export const render = (report: PlanReport): string =>
  [report.plan.actions.map(actionBlock).join('\n'), remarks(report)].filter((part) => part !== '').join('\n') ||
  '# nothing to change\n'
