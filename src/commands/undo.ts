/** `kubectl wi undo`: takes back what a run of fix or bind has done. */
import { Args, Command } from '@oclif/core'
import { undoFlags } from '../flags/fix.ts'

export default class Undo extends Command {
  static override summary = 'Take back what a run of fix or bind has done, newest step first.'
  static override description =
    `Reads the run from the journal ($XDG_STATE_HOME/kubectl-wi, else ~/.local/state/kubectl-wi) and takes its steps back, newest first. A step is taken back only where the place still holds what that step has put there; where it has moved since, undo ends and says what has. A run that was cut off in the middle can be taken back too, and an undo that was cut off can be run again: nothing is done twice.

EXIT CODES
  0  everything that was done is taken back
  1  something has moved since, or could not be taken back
  2  usage, or the tool could not run at all`
  static override examples = [
    { description: 'The latest run', command: '<%= config.bin %> undo' },
    { description: 'Which runs there are', command: '<%= config.bin %> undo --list' },
    { description: 'One of them', command: '<%= config.bin %> undo 20260131T120000Z-1a2b' },
  ]
  static override args = {
    run: Args.string({ ignoreStdin: true, description: 'The id of a run, or its beginning (default: the latest).' }),
  }
  static override usage = 'undo [RUN] [--dry-run server] [--list]'
  static override flags = undoFlags

  override async run(): Promise<void> {
    const { args, flags } = await this.parse(Undo)
    const { undoRun } = await import('../examine/undo.ts')
    process.exitCode = await undoRun(args.run, flags, { version: this.config.version, process })
  }
}
