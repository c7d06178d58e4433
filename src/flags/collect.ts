/** What `collect` can be told. */
import { Flags } from '@oclif/core'
import { doctorFlags } from './doctor.ts'

const {
  file: _,
  overlay: __,
  output: ___,
  baseline: ____,
  watch: _____,
  interval: ______,
  wait: _______,
  contexts: ________,
  'all-contexts': _________,
  'show-permissions': __________,
  'fail-on': ___________,
  verbose: ____________,
  ...asDoctor
} = doctorFlags

export const collectFlags = {
  dir: Flags.string({
    char: 'd',
    required: true,
    helpValue: 'DIR',
    summary: 'The folder to write; it must be new or empty.',
  }),
  ...asDoctor,
}
