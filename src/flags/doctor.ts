/** What the doctor can be told. */
import { Flags } from '@oclif/core'
import { durationFlag } from './duration.ts'
import { kubeconfigFlags } from './kubeconfig.ts'
import { colorFlag } from './output.ts'

export const doctorFlags = {
  file: Flags.string({
    char: 'f',
    helpValue: 'PATH',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'Examine documents, a file or a folder of them, instead of a cluster; may be given more than once.',
  }),
  overlay: Flags.boolean({ dependsOn: ['file'], summary: 'With -f: the documents win, the cluster answers the rest.' }),
  contexts: Flags.string({
    helpValue: 'NAME,…',
    exclusive: ['context', 'file', 'cluster', 'server', 'all-contexts'],
    summary: 'Examine the clusters of these kubeconfig contexts, and put them into one report.',
  }),
  'all-contexts': Flags.boolean({
    exclusive: ['context', 'file', 'cluster', 'server'],
    summary: 'The same with every context of the kubeconfig.',
  }),
  'all-namespaces': Flags.boolean({ char: 'A', summary: 'Look in all namespaces, whatever --namespace says.' }),
  selector: Flags.string({
    char: 'l',
    helpValue: 'SELECTOR',
    summary: 'Only ServiceAccounts and pods with these labels, such as app=cart.',
  }),
  check: Flags.string({
    helpValue: 'GLOB',
    multiple: true,
    multipleNonGreedy: true,
    summary:
      'Only checks with such ids (aws/*), or without them (!aws/*), and what must come before them; may be given more than once.',
  }),
  cloud: Flags.option({
    options: ['aws', 'gcp', 'azure'] as const,
    summary: 'Only what concerns this cloud (default: all that is found).',
  })(),
  exchange: Flags.boolean({
    default: true,
    allowNo: true,
    summary: 'Mint a token and exchange it, as the workload would; --no-exchange does neither.',
  }),
  'cloud-credentials': Flags.option({
    options: ['default', 'none'] as const,
    default: 'default',
    summary: "The cloud credentials to look with: this machine's own, or none (Kubernetes facts alone).",
  })(),
  'fail-on': Flags.option({
    options: ['error', 'warning', 'never'] as const,
    default: 'error',
    summary: 'What counts as unhealthy for the exit code.',
  })(),
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
  timeout: durationFlag({
    default: 60_000,
    defaultHelp: async () => '1m',
    summary: 'Time for the whole run; what is not seen by then is reported as not seen.',
  }),
  concurrency: Flags.integer({
    default: 8,
    min: 1,
    max: 64,
    helpValue: 'NUMBER',
    summary: 'How many questions each system is asked at the same time.',
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
  verbose: Flags.boolean({ char: 'v', summary: 'Show the evidence of what passed, too, and what did not apply.' }),
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
  'no-color': colorFlag,
  ...kubeconfigFlags,
}
