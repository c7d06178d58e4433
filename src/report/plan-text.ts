/** A plan for whoever carries it out elsewhere: as shell, as YAML, as a diff, as JSON. */
import { Document } from 'yaml'
import type { Json } from '../core/json.ts'
import type { PlannedAction, PlanReport } from '../core/plan.ts'
import { asText, diffOf } from './plan-diff.ts'
import { clean, escaped } from './text.ts'

const comment = (text: string): string => `# ${clean(text)}\n`

/** What a person has to do, and what was not seen well enough: a comment for each, in every form that has comments. */
export function remarks({ plan }: PlanReport): string {
  const sentence = (words: string): string => words.split('\n')[0] ?? ''
  return [
    ...plan.manual.map(({ check, words }) => comment(`by hand (${check}): ${sentence(words)}`)),
    ...plan.leaves.map(({ check, why }) => comment(`not seen (${check}): ${why}`)),
  ].join('')
}

const ownerRemark = ({ owner }: PlannedAction): string =>
  owner === undefined ? '' : comment(`${owner.tool} owns it (${owner.mark}): make this change in ${owner.where}`)

/** A file is written by whoever keeps it. */
const withoutCommand = ({ change }: PlannedAction): string =>
  change.system === 'document'
    ? 'write this into the file, as -o diff shows it'
    : 'no command does this: kubectl wi fix --apply'

/** Commands that run as they stand; the first that fails ends the script. */
export function shell(report: PlanReport): string {
  const { actions, rehearsed } = report.plan
  const blocks = actions.map((action, index) => {
    const { summary, safety, command, undoCommand } = action
    const back = undoCommand === undefined ? '' : comment(`undo: ${undoCommand}`)
    const line = command === undefined ? comment(withoutCommand(action)) : `${command}\n`
    return `\n${comment(`${index + 1}. ${summary} (${safety})`)}${ownerRemark(action)}${back}${line}`
  })
  const head = `#!/bin/sh\n${comment(`${report.source}; after this plan: ${rehearsed} (rehearsed)`)}set -eu\n`
  return `${head}${blocks.join('')}${remarks(report)}`
}

/** One document for each action: the members of the object that change, or the arguments of the call. */
export function yaml(report: PlanReport): string {
  const documents = report.plan.actions.map((action) => {
    const document = new Document(action.document, { aliasDuplicateObjects: false })
    return `---\n${comment(action.summary)}${ownerRemark(action)}${escaped(document.toString({ lineWidth: 0 }))}`
  })
  return `${documents.join('')}${remarks(report)}` || '# nothing to change\n'
}

export const diff = (report: PlanReport): string =>
  report.plan.actions.map((action) => `${comment(action.summary)}${asText(diffOf(action))}`).join('\n') +
  remarks(report)

/** Everything, in an order that stays. */
export function json({ schema, tool, source, plan, notes }: PlanReport): string {
  const { before, rehearsed, actions, manual, leaves, remains } = plan
  const data: Json = JSON.parse(
    JSON.stringify({ schema, tool, source, before, rehearsed, actions, manual, leaves, remains, notes }),
  )
  return `${escaped(JSON.stringify(data, null, 2))}\n`
}
