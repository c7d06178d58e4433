/** `kubectl wi explain`: what a check defends, or what an error text can mean. */
import { Args, Command } from '@oclif/core'
import { colorFlag, columnsOf, wantsColor } from '../flags/output.ts'

export default class Explain extends Command {
  static override summary = 'Say what a check defends, or what an error text can mean.'
  static override description =
    `With a check's id: what it defends, what it can find, what puts it right and where to read more. With an error text or code, as it stands in a log: what it means and its causes, most likely first, each with the check that decides it. Nothing is asked of any cluster or cloud.

EXIT CODES
  0  something is known about it
  2  usage, or nothing is known about it`
  static override examples = [
    {
      description: 'What can this error mean?',
      command: '<%= config.bin %> explain "Not authorized to perform sts:AssumeRoleWithWebIdentity"',
    },
    { description: 'What does this check defend?', command: '<%= config.bin %> explain aws/role-exists' },
    { description: 'A log on stdin', command: 'kubectl logs deploy/cart | <%= config.bin %> explain -' },
  ]
  static override args = {
    what: Args.string({
      required: true,
      ignoreStdin: true,
      description: "A check's id, an error code, an error text, or - for stdin.",
    }),
  }
  static override strict = false
  static override flags = { 'no-color': colorFlag }

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Explain)
    const words = argv.filter((word) => typeof word === 'string').join(' ')
    const { explain } = await import('../examine/explain.ts')
    const { pageOf } = await import('../examine/page.ts')
    const color = wantsColor(process.stdout, process.env, flags['no-color'])
    const text = await explain(words, pageOf(columnsOf(process.stdout, process.env), color))
    process.stdout.write(text)
  }
}
