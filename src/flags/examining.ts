/** What every command that examines can be told: where to look, at whom, by which checks, and for how long. */
import { Flags } from '@oclif/core'
import { durationFlag } from './duration.ts'
import { kubeconfigFlags } from './kubeconfig.ts'
import { colorFlag } from './output.ts'

export const examiningFlags = {
  file: Flags.string({
    char: 'f',
    helpValue: 'PATH',
    multiple: true,
    multipleNonGreedy: true,
    summary: 'Examine documents, a file or a folder of them, instead of a cluster; may be given more than once.',
  }),
  overlay: Flags.boolean({ dependsOn: ['file'], summary: 'With -f: the documents win, the cluster answers the rest.' }),
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
  verbose: Flags.boolean({ char: 'v', summary: 'Show the evidence of what passed, too, and what did not apply.' }),
  'no-color': colorFlag,
  ...kubeconfigFlags,
}
