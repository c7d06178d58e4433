/** `kubectl wi token`: what a token says, and whether its signature holds. */
import { Args, Command, Flags } from '@oclif/core'
import { kubeconfigFlags } from '../flags/kubeconfig.ts'
import { colorFlag, columnsOf, wantsColor } from '../flags/output.ts'

const defaultAudience = 'sts.amazonaws.com'

export default class Token extends Command {
  static override summary = "Show a projected token's header, claims, lifetime and signature verdict."
  static override description =
    `Reads a token from a file or stdin, or has the cluster mint one for a ServiceAccount by TokenRequest. The token itself and its signature are never printed or kept. A token from a file is read on this machine alone; --verify fetches the keys that its issuer publishes and says whether one of them verifies the signature. Of a minted token that is always said.

EXIT CODES
  0  the token is sound, as far as it was checked
  1  it is malformed, unsigned, expired, or its signature does not hold
  2  usage, or there was no token to look at`
  static override examples = [
    {
      description: 'The token that a pod has',
      command:
        'kubectl exec cart-0 -- cat /var/run/secrets/eks.amazonaws.com/serviceaccount/token | <%= config.bin %> token -',
    },
    {
      description: 'A token as the kubelet would get it',
      command: '<%= config.bin %> token sa/cart -n shop --audience sts.amazonaws.com',
    },
    {
      description: 'A file, verified against the published keys',
      command: '<%= config.bin %> token cart.jwt --verify',
    },
  ]
  static override args = {
    token: Args.string({ default: '-', ignoreStdin: true, description: 'A file, - for stdin, or sa/NAME.' }),
  }
  static override usage = 'token [TOKEN] [--audience AUDIENCE] [--verify]'
  static override flags = {
    audience: Flags.string({
      helpValue: 'AUDIENCE',
      defaultHelp: async () => defaultAudience,
      summary: 'With sa/NAME: the audience to ask for.',
    }),
    verify: Flags.boolean({ summary: "Fetch the issuer's published keys and verify the signature." }),
    'no-color': colorFlag,
    ...kubeconfigFlags,
  }

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Token)
    const { examineMinted, examineToken } = await import('../examine/token-source.ts')
    const { pageOf } = await import('../examine/page.ts')
    const color = wantsColor(process.stdout, process.env, flags['no-color'])
    const page = pageOf(columnsOf(process.stdout, process.env), color)
    const name = /^(?:sa|serviceaccounts?)\/(.+)$/u.exec(args.token)?.[1]
    if (name === undefined && flags.audience !== undefined) {
      const { usage } = await import('../examine/trouble.ts')
      throw usage('--audience goes with sa/NAME: a token that was minted already is for whom it says')
    }
    const { lines, sound } =
      name === undefined
        ? await examineToken(args.token, flags.verify, page)
        : await examineMinted(name, flags.audience ?? defaultAudience, flags, this.config.version, page)
    process.stdout.write(`${lines.join('\n')}\n`)
    process.exitCode = sound ? 0 : 1
  }
}
