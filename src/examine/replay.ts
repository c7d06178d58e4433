/** Who a run is about, as a bundle keeps it, so that its replay is about the same. */
import type { Cloud } from '../core/check.ts'
import { type JsonObject, textAt, textsAt } from '../core/json.ts'

type Choice = {
  readonly namespace?: string | undefined
  readonly 'all-namespaces': boolean
  readonly selector?: string | undefined
  readonly check?: readonly string[] | undefined
  readonly cloud?: Exclude<Cloud, 'any'> | undefined
}

/** `namespace`: the one that was looked in, by flag or by the kubeconfig. */
export const runOf = (targets: readonly string[], flags: Choice, namespace: string | undefined): JsonObject => ({
  targets: [...targets],
  ...(flags['all-namespaces'] ? { allNamespaces: true } : namespace === undefined ? {} : { namespace }),
  ...(flags.selector === undefined ? {} : { selector: flags.selector }),
  ...(flags.check === undefined ? {} : { check: flags.check }),
  ...(flags.cloud === undefined ? {} : { cloud: flags.cloud }),
})

const clouds = ['aws', 'azure', 'gcp'] as const

/** What was asked when it was collected, unless somebody asks for something else now. */
export function asCollected<F extends Choice>(
  run: JsonObject | undefined,
  targets: readonly string[],
  flags: F,
): Choice & { readonly targets: readonly string[] } {
  const isOther =
    targets.length > 0 || flags['all-namespaces'] || flags.namespace !== undefined || flags.selector !== undefined
  if (run === undefined) return { ...flags, targets }
  const check = flags.check ?? textsAt(run, 'check')
  const cloud = flags.cloud ?? clouds.find((one) => one === run.cloud)
  const rest = { cloud, ...(check.length === 0 ? {} : { check }) }
  if (isOther) return { ...flags, ...rest, targets }
  return {
    ...rest,
    targets: textsAt(run, 'targets'),
    'all-namespaces': run.allNamespaces === true,
    namespace: textAt(run, 'namespace'),
    selector: textAt(run, 'selector'),
  }
}
