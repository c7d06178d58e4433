/** What `collect` can be told. */
import { Flags } from '@oclif/core'
import { examiningFlags } from './examining.ts'

// What was examined is written down, whatever the verdict.
const { file: _, overlay: __, 'fail-on': ___, verbose: ____, ...asDoctor } = examiningFlags

export const collectFlags = {
  dir: Flags.string({
    char: 'd',
    required: true,
    helpValue: 'DIR',
    summary: 'The folder to write; it must be new or empty.',
  }),
  ...asDoctor,
}
