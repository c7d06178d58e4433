/** The next command about the same objects of the same cluster, as a person would type it. */
import { sh } from '../domain/shell-words.ts'
import type { KubeconfigValues } from '../flags/kubeconfig.ts'

type Choice = KubeconfigValues & {
  readonly 'all-namespaces'?: boolean
  readonly selector?: string | undefined
  readonly file?: readonly string[] | undefined
  readonly overlay?: boolean
}

// Never --token: what is printed here ends up in logs.
const places = ['kubeconfig', 'context', 'cluster', 'user', 'server', 'as', 'selector'] as const

/** `command`: its words, such as `kubectl wi doctor`. */
export const commandAbout = (command: string, targets: readonly string[], flags: Choice): string =>
  [
    ...targets,
    ...(flags['all-namespaces'] ? ['-A'] : flags.namespace === undefined ? [] : ['-n', flags.namespace]),
    ...places.flatMap((name) => {
      const value = flags[name]
      return value === undefined ? [] : [`--${name}`, value]
    }),
    ...(flags.file ?? []).flatMap((path) => ['-f', path]),
    ...(flags.overlay === true ? ['--overlay'] : []),
  ].reduce((line, word) => `${line}${sh` ${word}`}`, command)
