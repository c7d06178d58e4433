/** What the doctor can be told. */
import { Flags } from '@oclif/core'
import { durationFlag } from './duration.ts'
import { examiningFlags } from './examining.ts'

/** A fleet is examined and mapped; nothing is changed in several clusters at once. */
export const fleetFlags = {
  contexts: Flags.string({
    helpValue: 'NAME,…',
    exclusive: ['context', 'file', 'cluster', 'server', 'all-contexts'],
    summary: 'Examine the clusters of these kubeconfig contexts, and put them into one report.',
  }),
  'all-contexts': Flags.boolean({
    exclusive: ['context', 'file', 'cluster', 'server'],
    summary: 'Examine the clusters of all contexts of the kubeconfig, and put them into one report.',
  }),
}

export const doctorFlags = {
  ...examiningFlags,
  ...fleetFlags,
  baseline: Flags.string({
    helpValue: 'FILE',
    summary: 'Report only what is new: the faults in this report of a former run (-o json) are listed as accepted.',
  }),
  wait: durationFlag({
    summary: 'Examine again until it is healthy, for as long as this; a binding takes time to be seen everywhere.',
  }),
  watch: Flags.boolean({
    char: 'w',
    exclusive: ['wait'],
    summary: 'Go on examining, and print what changes, one line a change, until Ctrl-C.',
  }),
  interval: durationFlag({
    default: 30_000,
    defaultHelp: async () => '30s',
    summary: 'With --watch: the time between two looks.',
  }),
  exec: Flags.boolean({
    exclusive: ['remote'],
    summary:
      'Also start a shell in the pods that are judged, to look at their clocks (needs create on pods/exec; at most 5 pods).',
  }),
  remote: Flags.boolean({
    exclusive: [
      'file',
      'overlay',
      'all-namespaces',
      'selector',
      'check',
      'cloud',
      'baseline',
      'show-permissions',
      'contexts',
      'all-contexts',
      'watch',
    ],
    summary:
      'Inside a job on a compute site (interLink): look at the way to the Kubernetes API from nothing but what the job was given.',
  }),
  'mounted-in': Flags.string({
    dependsOn: ['remote'],
    helpValue: 'DIR',
    defaultHelp: async () => '/var/run/secrets/kubernetes.io/serviceaccount',
    summary: 'With --remote: where the token and ca.crt of the job are mounted.',
  }),
  'show-permissions': Flags.boolean({
    summary:
      'Only say what this selection needs to see: a ClusterRole and an IAM policy, ready to apply; nothing is run.',
  }),
  output: Flags.option({
    char: 'o',
    options: [
      'table',
      'wide',
      'json',
      'yaml',
      'sarif',
      'junit',
      'markdown',
      'github',
      'openreports',
      'policyreport',
      'metrics',
      'html',
    ] as const,
    default: 'table',
    summary: 'Format of the report; the exit code is the same in all.',
  })(),
  also: Flags.string({
    helpValue: 'FORMAT=FILE',
    multiple: true,
    multipleNonGreedy: true,
    exclusive: ['watch', 'show-permissions', 'remote'],
    summary: 'Write the report in this format to a file, too; may be given more than once.',
  }),
}
