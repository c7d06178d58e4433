/** What `exchange-test` can be told. */
import { Errors, Flags } from '@oclif/core'
import { durationFlag } from './duration.ts'
import { kubeconfigFlags } from './kubeconfig.ts'
import { colorFlag } from './output.ts'

const named = (form: RegExp, what: string) => async (input: string) => {
  if (form.test(input)) return input
  throw new Errors.CLIError(`"${input}" is not ${what}`)
}

export const exchangeTestFlags = {
  pod: Flags.string({
    helpValue: 'NAME',
    exclusive: ['sa'],
    summary: 'From outside: have a shell in this pod tell what it has, and exchange a token minted like its own.',
  }),
  'in-pod': Flags.string({
    helpValue: 'NAME',
    exclusive: ['sa', 'pod'],
    summary: 'From outside: run this very test in an ephemeral container beside a container of this pod.',
  }),
  job: Flags.boolean({
    dependsOn: ['in-pod'],
    summary: 'With --in-pod: in a Job like the pod, on the same node, in place of an ephemeral container.',
  }),
  image: Flags.string({
    helpValue: 'IMAGE',
    env: 'KUBECTL_WI_IMAGE',
    summary: 'With --in-pod: the image to run, as the Containerfile makes it.',
  }),
  container: Flags.string({
    char: 'c',
    helpValue: 'NAME',
    relationships: [{ type: 'some', flags: ['pod', 'in-pod'] }],
    summary: 'With --pod or --in-pod: the container that is meant (default: as kubectl exec has it).',
  }),
  sa: Flags.string({
    helpValue: 'NAME',
    summary:
      'From outside: mint a token for this ServiceAccount by TokenRequest, and exchange that in each cloud that it is bound to.',
  }),
  s3: Flags.string({ helpValue: 'BUCKET', summary: 'List and read this bucket of S3 with what the exchange gave.' }),
  gcs: Flags.custom<string>({
    helpValue: 'BUCKET',
    summary: 'List and read this bucket of Cloud Storage with what the exchange gave.',
    parse: named(/^[a-z0-9][a-z0-9._-]{1,220}[a-z0-9]$/, 'the name of a bucket'),
  })(),
  blob: Flags.custom<string>({
    helpValue: 'ACCOUNT/CONTAINER',
    summary: 'List and read this container of Azure Blob Storage with what the exchange gave.',
    parse: named(/^[a-z0-9]{3,24}\/(?:[a-z0-9](?:-?[a-z0-9]){2,62}|\$root|\$web)$/, 'ACCOUNT/CONTAINER'),
  })(),
  write: Flags.boolean({
    summary: 'With --s3, --gcs or --blob: put a small object, too, and delete it again.',
  }),
  fuse: Flags.boolean({
    summary: 'Fail where this container could not mount by FUSE itself, even if nothing in it seems to want to.',
  }),
  'look-at': Flags.string({ hidden: true, summary: 'Only say whether what is mounted here answers.' }),
  timeout: durationFlag({
    default: 60_000,
    defaultHelp: async () => '1m',
    summary: 'Time for the whole run; what is not seen by then is reported as not seen.',
  }),
  output: Flags.option({
    char: 'o',
    options: ['table', 'json'] as const,
    default: 'table',
    summary: 'Format of the report.',
  })(),
  'no-color': colorFlag,
  ...kubeconfigFlags,
}
