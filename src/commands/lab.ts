/** `kubectl wi lab`: serves a case over the wire and runs a command against it. */
import { Args, Command } from '@oclif/core'

export default class Lab extends Command {
  static override summary = 'Serve a case over the wire on loopback and run a command against it.'
  static override description =
    `Makes servers out of documents, as doctor -f reads them: a Kubernetes API, the token issuer, AWS STS, IAM, EKS and S3, Entra with Azure's resource manager, and Google Cloud's STS and IAM, with real TLS, real signatures and real refusals. COMMAND (without one: a shell) runs in an environment in which kubectl, kubectl wi, the aws command line and the SDKs find those servers and nothing else. When it ends, everything is gone.

What a node gives to its pods alone is served too, under names of its own: AWS_CONTAINER_CREDENTIALS_FULL_URI=$KUBECTL_WI_LAB_AGENT and GCE_METADATA_HOST=$KUBECTL_WI_LAB_METADATA lead exchange-test, and every SDK, to the EKS Pod Identity agent and to the metadata server of GKE.

CASE is a folder of documents or one *.case.yaml file. Without it, a cart that cannot assume its role is served.

EXIT CODES
  COMMAND's own, or 2 where the lab or COMMAND could not be started`
  static override examples = [
    {
      description: 'See the doctor find something',
      command: '<%= config.bin %> lab -- kubectl wi doctor sa/cart -n shop',
    },
    { description: 'Look around in a cluster that was collected', command: '<%= config.bin %> lab ./collected' },
  ]
  static override usage = 'lab [CASE] [-- COMMAND…]'
  static override strict = false
  static override args = {
    case: Args.string({ ignoreStdin: true, description: 'A folder of documents, or a *.case.yaml file.' }),
  }

  override async run(): Promise<void> {
    const { runLab } = await import('../lab/command.ts')
    process.exitCode = await runLab(this.argv, { root: this.config.root, process })
  }
}
