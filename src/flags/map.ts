/** What `map` can be told. */
import { Flags } from '@oclif/core'
import { fleetFlags } from './doctor.ts'
import { examiningFlags } from './examining.ts'

// It judges nothing by checks, mints no token and has no verdict to exit by.
const { selector: _, check: __, exchange: ___, 'fail-on': ____, verbose: _____, ...asDoctor } = examiningFlags

export const mapFlags = {
  ...asDoctor,
  ...fleetFlags,
  output: Flags.option({
    char: 'o',
    options: ['table', 'json', 'csv', 'dot', 'mermaid'] as const,
    default: 'table',
    summary: 'Format of the map.',
  })(),
}
