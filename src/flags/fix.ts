/** What `fix` and `undo` can be told. */
import { Flags } from '@oclif/core'
import { durationFlag } from './duration.ts'
import { examiningFlags } from './examining.ts'
import { kubeconfigFlags } from './kubeconfig.ts'
import { colorFlag } from './output.ts'

const dryRun = Flags.option({
  options: ['server'] as const,
  summary: 'Have the API server check every write and drop it; the clouds are only asked whether anything has moved.',
})()

export const fixFlags = {
  ...examiningFlags,
  apply: Flags.boolean({ summary: 'Carry the plan out, asking once for each action that needs a review.' }),
  yes: Flags.boolean({
    dependsOn: ['apply'],
    summary: 'Consent to every action of the plan, also to what touches production; nothing is asked.',
  }),
  only: Flags.string({ helpValue: 'CHECK', summary: 'Put right only what this check has found.' }),
  'dry-run': dryRun,
  wait: durationFlag({
    default: 60_000,
    defaultHelp: async () => '1m',
    summary: 'With --apply: how long to examine again until it is healthy; a change takes time to be seen everywhere.',
  }),
  output: Flags.option({
    char: 'o',
    options: ['table', 'diff', 'shell', 'terraform', 'yaml', 'json'] as const,
    default: 'table',
    summary: 'Format of the plan.',
  })(),
}

export const undoFlags = {
  'dry-run': dryRun,
  list: Flags.boolean({ summary: 'List the runs in the journal instead.' }),
  'no-color': colorFlag,
  ...kubeconfigFlags,
}
