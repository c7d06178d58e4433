/** `kubectl wi exchange-test`: proves the identity that a pod has been given, step by step. */
import { Command } from '@oclif/core'
import { exchangeTestFlags } from '../flags/exchange-test.ts'

export default class ExchangeTest extends Command {
  static override summary = 'Prove the cloud identity that this pod has been given, step by step.'
  static override description =
    `Inside a pod it looks for the identity that the pod has been given, says what each SDK would take first and what shadows it, and then proves it: the token is read, its claims and its signature are looked at, it is exchanged, and the cloud is asked who that is. What the cloud refuses is said in its own words, with the likely cause.

A bucket or a container can be listed, read and written to with what was got. What this container may do with FUSE is told as well, and whether all that is mounted in it answers; a mount that is dead or hangs is a failed step.

From outside, --in-pod runs the same in an ephemeral container beside the pod's own, with its variables, mounts and security context (it stays in the pod's description until the pod is deleted), or with --job in a Job on the same node with the same ServiceAccount (which is deleted at the end, on Ctrl-C too). --pod has a shell in the container tell what it has, and --sa looks at a ServiceAccount alone; both exchange a token minted by TokenRequest: at STS of AWS, at Entra as a client assertion, or at STS of Google and for the account that is named. A ServiceAccount that is bound to several clouds is proven in each. What only the pod can reach (the agent of EKS Pod Identity, the metadata server of GKE, a managed identity) is said not to have been seen.

A token or a credential is held in memory only, and never printed, logged or written.

EXIT CODES
  0  proven
  1  refuted: at least one step failed
  2  usage, or the tool could not run at all
  3  inconclusive: no identity was found, or something that matters could not be seen`
  static override examples = [
    { description: 'In a shell of the pod', command: '<%= config.bin %> exchange-test' },
    { description: 'And read the bucket that it is for', command: '<%= config.bin %> exchange-test --s3 carts' },
    {
      description: 'Write to a container of Blob Storage, and say whether a mounter could mount here',
      command: '<%= config.bin %> exchange-test --blob shopdata/orders --write --fuse',
    },
    {
      description: 'From outside, beside a container that has no shell',
      command:
        '<%= config.bin %> exchange-test --in-pod cart-7d9f -n shop --image registry.example.com/kubectl-wi:0.1.0',
    },
  ]
  static override usage =
    'exchange-test [--sa NAME | --pod NAME | --in-pod NAME [--job]] [-n NAMESPACE] [--s3 BUCKET | --gcs BUCKET | --blob ACCOUNT/CONTAINER] [--write] [--fuse]'
  static override flags = exchangeTestFlags

  override async run(): Promise<void> {
    const { flags } = await this.parse(ExchangeTest)
    const { exchangeTest } = await import('../examine/exchange-test.ts')
    process.exitCode = await exchangeTest(flags, { version: this.config.version, process })
  }
}
