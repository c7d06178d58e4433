/** One run of exchange-test, inside a pod or from outside of it: what identity it was given, and each step of proving it. */
import { exitCodeOfProof, foundNothing, type ProofReport, verdictOf } from '../core/proof.ts'
import { lookedFor } from '../domain/credential-order.ts'
import { proofSchema } from '../domain/told-proof.ts'
import type { KubeconfigValues } from '../flags/kubeconfig.ts'
import { columnsOf, wantsColor } from '../flags/output.ts'
import { proofText } from '../report/proof.ts'
import { clean } from '../report/text.ts'
import { provePod } from './prove-pod.ts'
import type { Run } from './proving.ts'
import { usage } from './trouble.ts'

export type ExchangeFlags = KubeconfigValues & {
  readonly sa?: string | undefined
  readonly pod?: string | undefined
  readonly container?: string | undefined
  readonly 'in-pod'?: string | undefined
  readonly job: boolean
  readonly image?: string | undefined
  readonly s3?: string | undefined
  readonly gcs?: string | undefined
  readonly blob?: string | undefined
  readonly write: boolean
  readonly fuse: boolean
  /** All that is done where this program has called itself to look at a mount that may hang. */
  readonly 'look-at'?: string | undefined
  /** Milliseconds for the whole run. */
  readonly timeout: number
  readonly output: 'table' | 'json'
  readonly 'no-color': boolean
}
type Setting = { readonly version: string; readonly process: NodeJS.Process }

const interrupted = 130

/** Proves from outside what a ServiceAccount or a pod has been given. */
async function proveElsewhere(flags: ExchangeFlags, version: string, stop: AbortSignal): Promise<ProofReport> {
  const { openLive } = await import('./world.ts')
  const sa = flags.sa?.replace(/^(sa|serviceaccounts?)\//u, '')
  const live = await openLive(flags, { version, signal: stop, exchange: true, timeout: flags.timeout })
  const run: Run = { stop, steps: [] }
  try {
    if (flags.pod !== undefined) {
      const { provePodElsewhere } = await import('./prove-exec.ts')
      const pod = flags.pod.replace(/^(po|pods?)\//u, '')
      const proofs = await provePodElsewhere(run, live, flags, { ...flags, pod })
      const nothing = foundNothing(proofs) && run.steps[0]?.status === 'pass'
      const looked = nothing ? Object.entries(lookedFor) : []
      const verdict = nothing ? 'inconclusive' : verdictOf(proofs)
      return { subject: `pod ${live.namespace}/${pod}`, proofs, lookedFor: looked, verdict }
    }
    const { proveAccount } = await import('./prove-account.ts')
    const proofs = await proveAccount(run, live, sa ?? '')
    return { subject: `ServiceAccount ${live.namespace}/${sa}`, proofs, lookedFor: [], verdict: verdictOf(proofs) }
  } finally {
    live.close()
  }
}

/** Whether the pod is looked at from outside. @throws usage where the wishes do not go together */
function refuseWishes({ write, sa, pod, ...wishes }: ExchangeFlags): boolean {
  const stores = (['s3', 'gcs', 'blob'] as const).filter((kind) => wishes[kind] !== undefined)
  if (write && stores.length === 0)
    throw usage('--write needs a store to write to: add --s3 BUCKET, --gcs BUCKET or --blob ACCOUNT/CONTAINER')
  const outside = sa !== undefined || pod !== undefined
  if (outside && stores.length > 0)
    throw usage(
      `--${stores[0]} is tried with what the pod itself gets, so it goes with neither --sa nor --pod: run it inside the pod`,
    )
  if (sa !== undefined && wishes.fuse)
    throw usage(
      '--fuse looks into a container, and a ServiceAccount has none: use --pod NAME, or run it inside the pod',
    )
  return outside
}

/** What the run inside the pod is to be told of them. */
function wishesAsArgs({ write, fuse, ...wishes }: ExchangeFlags): readonly string[] {
  const stores = (['s3', 'gcs', 'blob'] as const).flatMap((kind) => {
    const name = wishes[kind]
    return name === undefined ? [] : [`--${kind}`, name]
  })
  return [...stores, ...(write ? ['--write'] : []), ...(fuse ? ['--fuse'] : [])]
}

/** Has a container beside the pod's own prove it, and tells what that has told. */
async function proveWithin(flags: ExchangeFlags, { version, process }: Setting, stop: AbortSignal) {
  const { image, timeout } = flags
  if (image === undefined)
    throw usage(
      '--in-pod runs an image of kubectl wi: build one from the Containerfile, and name it with --image or KUBECTL_WI_IMAGE',
    )
  const { proveInPod } = await import('./prove-in-pod.ts')
  const args = ['exchange-test', '-o', 'json', '--timeout', `${Math.ceil(timeout / 1000)}s`]
  const wishes = { ...flags, image, pod: flags['in-pod']?.replace(/^(po|pods?)\//u, '') ?? '' }
  const say = (line: string): void => {
    process.stderr.write(`${clean(line)}\n`)
  }
  return proveInPod({ ...wishes, args: [...args, ...wishesAsArgs(flags)] }, { version, run: { stop, steps: [] }, say })
}

/** Proves, writes the report to stdout, and returns the exit code. Throws usage errors. */
export async function exchangeTest(flags: ExchangeFlags, setting: Setting): Promise<number> {
  const { version, process } = setting
  if (flags['look-at'] !== undefined) {
    const { lookAtMount } = await import('../sources/live/pod-mounts.ts')
    return lookAtMount(flags['look-at'])
  }
  const outside = refuseWishes(flags)
  const stop = new AbortController()
  process.once('SIGINT', () => stop.abort())
  const { asTrouble } = await import('./trouble.ts')
  const { redactedProof } = await import('./redacted-proof.ts')
  const until = AbortSignal.any([stop.signal, AbortSignal.timeout(flags.timeout)])
  try {
    const proveIt = (): Promise<ProofReport> => {
      if (flags['in-pod'] !== undefined) return proveWithin(flags, setting, until)
      return outside ? proveElsewhere(flags, version, until) : provePod(flags, process.env, until)
    }
    const report = redactedProof(await proveIt())
    const { env, stdout } = process
    const text =
      flags.output === 'json'
        ? `${JSON.stringify({ schema: proofSchema, tool: { name: 'kubectl-wi', version }, ...report }, null, 2)}\n`
        : proofText(report, { width: columnsOf(stdout, env), color: wantsColor(stdout, env, flags['no-color']) })
    stdout.write(text)
    return stop.signal.aborted ? interrupted : exitCodeOfProof[report.verdict]
  } catch (error) {
    throw asTrouble(error)
  }
}
