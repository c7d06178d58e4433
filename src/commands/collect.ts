/** `kubectl wi collect`: writes down what the doctor has seen, so that somebody else can look at it. */
import { Args, Command } from '@oclif/core'
import { collectFlags } from '../flags/collect.ts'

export default class Collect extends Command {
  static override summary = 'Write what a doctor run asks and is answered into a folder, without secrets.'
  static override description =
    `Examines as doctor does, changes nothing, and writes every answer into DIR: objects as kubectl prints them, answers of the clouds as their command lines print them, and in bundle.yaml whatever they do not say: the time, what was not there, what could not be read and why. report.json is the report of this run.

\`kubectl wi doctor -f DIR\` finds the same again, byte for byte, on a machine without any network. Tokens, signatures, keys and credentials are not in it; names of namespaces, objects, accounts and roles are.

EXIT CODES
  0  the folder is written, whatever the verdict
  2  usage, or the tool could not run at all`
  static override examples = [
    {
      description: 'Everything about one ServiceAccount',
      command: '<%= config.bin %> collect sa/cart -n shop -d bundle',
    },
    { description: 'What does it say?', command: '<%= config.bin %> doctor -f bundle' },
  ]
  static override usage = 'collect [TARGET…] -d DIR [-n NAMESPACE | -A]'
  static override strict = false
  static override args = {
    target: Args.string({ ignoreStdin: true, description: 'sa/NAME, pod/NAME, deployment/NAME, …' }),
  }
  static override flags = collectFlags

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Collect)
    const targets = argv.filter((word) => typeof word === 'string')
    const { collect } = await import('../examine/collect.ts')
    process.exitCode = await collect(targets, flags, { version: this.config.version, process })
  }
}
