/** `kubectl wi checks`: the catalogue. */
import { Command, Flags } from '@oclif/core'
import { colorFlag, columnsOf, wantsColor } from '../flags/output.ts'

export default class Checks extends Command {
  static override summary = 'List every check that the doctor knows.'
  static override description =
    `Each check has an id that never changes and a title that states the good state. \`kubectl wi explain CHECK\` says more about one. Nothing is asked of any cluster or cloud.`
  static override examples = [
    { description: 'The catalogue', command: '<%= config.bin %> checks' },
    { description: 'For a program', command: '<%= config.bin %> checks -o json' },
  ]
  static override flags = {
    output: Flags.string({
      char: 'o',
      options: ['table', 'json', 'markdown'],
      default: 'table',
      summary: 'Format of the list.',
    }),
    'no-color': colorFlag,
  }

  override async run(): Promise<void> {
    const { flags } = await this.parse(Checks)
    const { catalogue } = await import('../examine/catalogue.ts')
    const { pageOf } = await import('../examine/page.ts')
    const color = wantsColor(process.stdout, process.env, flags['no-color'])
    process.stdout.write(catalogue(flags.output, pageOf(columnsOf(process.stdout, process.env), color)))
  }
}
