/** `kubectl wi bind sa`: a cloud identity for a ServiceAccount, by the plans that fix is made of. */
import { Args, Command } from '@oclif/core'
import { bindFlags } from '../../flags/bind.ts'

export default class BindServiceAccount extends Command {
  static override summary = 'Give a ServiceAccount a cloud identity: plan, rehearse, carry out, prove.'
  static override description =
    `Prints the plan that gives the ServiceAccount this identity, as fix does: each action with what it changes, how to take it back, and the same change as a command. What is in place is said to be so already; what exists is extended and never replaced: other annotations, labels, imagePullSecrets and trust statements stay as they are. A ServiceAccount that is not there is made. Nothing is changed without --apply.

Trust is given to exactly this ServiceAccount, for exactly one audience: no wildcard, no statement without an audience, nobody who was not named. With --apply it asks as fix --apply does, a typed name included where production is touched, and ends with the doctor's verdict and a real exchange, and that verdict is the exit code; kubectl wi undo takes the run back.

EXIT CODES
  0  healthy
  1  unhealthy: as it is, or still after --apply
  2  usage, or what cannot be done without widening trust
  3  inconclusive: something that matters could not be seen`
  static override examples = [
    {
      description: 'What would bind it to a role that there is?',
      command: '<%= config.bin %> bind sa cart -n shop --aws-role cart',
    },
    {
      description: 'With a role made for it, and its workloads rolled',
      command:
        '<%= config.bin %> bind sa cart -n shop --aws-role cart --create-role --attach-policy arn:aws:iam::aws:policy/AmazonS3ReadOnlyAccess --restart --apply',
    },
    {
      description: 'By EKS Pod Identity',
      command: '<%= config.bin %> bind sa cart -n shop --aws-role cart --pod-identity --apply --yes',
    },
    {
      description: 'To a managed identity of Azure, with the pods labelled and rolled',
      command: '<%= config.bin %> bind sa cart -n shop --azure-identity cart-id --restart --apply',
    },
    {
      description: 'As a Google service account, on GKE',
      command: '<%= config.bin %> bind sa cart -n shop --gcp-service-account cart@shop-prod.iam.gserviceaccount.com',
    },
    {
      description: 'With a role on a bucket for the ServiceAccount itself, on GKE',
      command:
        '<%= config.bin %> bind sa cart -n shop --gcp-direct --role roles/storage.objectViewer --on buckets/shop-data',
    },
  ]
  static override usage =
    'bind sa NAME [-n NAMESPACE] --aws-role NAME|ARN | --azure-identity NAME|CLIENT_ID|RESOURCE_ID | --azure-app APP_ID | --gcp-service-account EMAIL | --gcp-direct --role ROLE --on RESOURCE | --gcp-provider NAME [--apply [--yes]] [-o FORMAT]'
  static override args = {
    name: Args.string({ required: true, ignoreStdin: true, description: 'The ServiceAccount.' }),
  }
  static override flags = bindFlags

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(BindServiceAccount)
    const { bindServiceAccount } = await import('../../examine/bind.ts')
    process.exitCode = await bindServiceAccount(args.name, flags, { version: this.config.version, process })
  }
}
