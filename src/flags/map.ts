/** What `map` can be told. */
import { Flags } from '@oclif/core'
import { doctorFlags } from './doctor.ts'

const {
  file,
  overlay,
  contexts,
  'all-contexts': allContexts,
  'all-namespaces': allNamespaces,
  cloud,
  'cloud-credentials': cloudCredentials,
  timeout,
  concurrency,
  output: _,
  check: __,
  selector: ___,
  exchange: ____,
  'fail-on': _____,
  baseline: ______,
  wait: _______,
  watch: ________,
  interval: _________,
  'show-permissions': __________,
  verbose: ___________,
  ...others
} = doctorFlags

export const mapFlags = {
  file,
  overlay,
  contexts,
  'all-contexts': allContexts,
  'all-namespaces': allNamespaces,
  cloud,
  'cloud-credentials': cloudCredentials,
  timeout,
  concurrency,
  output: Flags.option({
    char: 'o',
    options: ['table', 'json', 'csv', 'dot', 'mermaid'] as const,
    default: 'table',
    summary: 'Format of the map.',
  })(),
  ...others,
}
