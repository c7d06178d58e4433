/** `kubectl wi fix`: the plan that would make it healthy, and the way to carry it out. */
import { Args, Command } from '@oclif/core'
import { fixFlags } from '../flags/fix.ts'

export default class Fix extends Command {
  static override summary = 'Plan what puts a broken cloud identity right, rehearse it, and carry it out.'
  static override description =
    `Examines as doctor does and prints the plan that would make it healthy: each action with what it changes, whom it is for, how to take it back, and the same change as a command. The plan is rehearsed: judged over the world as it would be. Nothing is changed without --apply.

With --apply each action that changes trust, permission or a running workload is asked about: on a terminal with what it changes above the question, to be answered with y, n, a (yes to this one and the remaining ones) or q (stop, as Ctrl-C does). What touches production is done only after the name of what it changes has been typed in full, whatever was answered before: a restart or a replacement of running pods, a change of a trust that is there or of aws-auth, and any write where the name of the namespace or of the context says prod. Where nobody can be asked none of them is done; --yes consents to all of them beforehand. Just before an action what it changes is looked at again; if that has moved, the run ends there. Objects are never replaced whole, and every step is in a journal, so that kubectl wi undo takes a run back, also one that was cut off. Then it is examined again, with a real exchange, and that verdict is the exit code.

EXIT CODES
  0  healthy
  1  unhealthy: as it is, or still after --apply
  2  usage, or the tool could not run at all
  3  inconclusive: something that matters could not be seen`
  static override examples = [
    { description: 'What would put it right?', command: '<%= config.bin %> fix sa/cart -n shop' },
    { description: 'Carry it out, asking before each step', command: '<%= config.bin %> fix sa/cart -n shop --apply' },
    { description: 'As commands for somebody else', command: '<%= config.bin %> fix -A -o shell' },
    {
      description: 'One finding alone',
      command: '<%= config.bin %> fix sa/cart -n shop --only aws/trust-policy-admits-service-account --apply --yes',
    },
  ]
  static override usage = 'fix [TARGET…] [-n NAMESPACE | -A] [-f PATH…] [--apply [--yes]] [-o FORMAT]'
  static override strict = false
  static override args = {
    target: Args.string({ ignoreStdin: true, description: 'sa/NAME, pod/NAME, deployment/NAME, …' }),
  }
  static override flags = fixFlags

  override async run(): Promise<void> {
    const { argv, flags } = await this.parse(Fix)
    const targets = argv.filter((word) => typeof word === 'string')
    const { fix } = await import('../examine/fix.ts')
    process.exitCode = await fix(targets, flags, { version: this.config.version, process })
  }
}
