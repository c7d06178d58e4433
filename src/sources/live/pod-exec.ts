/** Runs a shell script in a container by the protocol of kubectl exec, bounded in time and output. */
import { Writable } from 'node:stream'
import { isObject, type Json, textAt } from '../../core/json.ts'
import { authentication } from './api-server.ts'
import { chooseCluster, impersonation, type KubeFlags } from './kubeconfig.ts'
import { plain, wordsOf } from './trouble.ts'

export type ExecPlace = {
  readonly namespace: string
  readonly pod: string
  readonly container: string
}
export type Executed =
  | { readonly state: 'ran'; readonly output: string; readonly code: number }
  | { readonly state: 'unseen'; readonly detail: string; readonly lift: string }

const mostBytes = 1 << 20

/** @throws LiveTrouble where the kubeconfig leads to no cluster */
export async function execInPod(
  flags: KubeFlags,
  { namespace, pod, container }: ExecPlace,
  script: string,
  {
    env,
    timeoutMs,
    signal,
  }: { readonly env: NodeJS.ProcessEnv; readonly timeoutMs: number; readonly signal: AbortSignal },
): Promise<Executed> {
  const chosen = await chooseCluster(flags, env)
  const { config, plugin } = await authentication(chosen, env, timeoutMs)
  const headers = impersonation(chosen, flags)
  const apply = config.applyToHTTPSOptions.bind(config)
  config.applyToHTTPSOptions = async (options) => {
    await apply(options)
    Object.assign(options, { headers: { ...options.headers, ...headers } })
  }
  const { Exec } = await import('@kubernetes/client-node')
  const chunks: Buffer[] = []
  let size = 0
  const sink = (keep: boolean): Writable =>
    new Writable({
      write: (chunk: Buffer, _encoding, done) => {
        size += chunk.length
        if (keep && size <= mostBytes) chunks.push(chunk)
        done()
      },
    })
  const lift =
    'the permission `create` on `pods/exec` in this namespace, and a shell in the container; or run kubectl wi inside the pod'
  let close = (): void => {}
  try {
    return await new Promise<Executed>((resolve) => {
      const unseen = (detail: string): void => resolve({ state: 'unseen', detail: plain(detail), lift })
      const timer = setTimeout(() => unseen(`the container did not answer within ${timeoutMs / 1000} s`), timeoutMs)
      signal.addEventListener('abort', () => unseen('the run was stopped'), { once: true })
      const ended = (status: unknown): void => {
        clearTimeout(timer)
        const told: Json = JSON.parse(JSON.stringify(status ?? null))
        const code = exitCodeIn(told)
        if (code === undefined || (code > 125 && chunks.length === 0))
          unseen(textAt(told, 'message') ?? 'the shell could not be started')
        else resolve({ state: 'ran', output: Buffer.concat(chunks).toString('utf8'), code })
      }
      new Exec(config)
        .exec(namespace, pod, container, ['sh', '-c', script], sink(true), sink(false), null, false, ended)
        .then(
          (socket) => {
            close = () => socket.close()
            socket.on('close', () => unseen('the connection ended before the shell did'))
          },
          (error: unknown) => {
            clearTimeout(timer)
            const message =
              typeof error === 'object' && error !== null && 'message' in error ? String(error.message) : ''
            unseen(message === '' ? wordsOf(error) : message)
          },
        )
    })
  } finally {
    close()
    plugin?.stop()
  }
}

/** 0 for success; the shell's own code where the cause tells it; undefined where it never ran. */
function exitCodeIn(status: Json): number | undefined {
  if (textAt(status, 'status') === 'Success') return 0
  const causes = isObject(status) && isObject(status.details) ? status.details.causes : undefined
  const list = Array.isArray(causes) ? causes : []
  const code = list
    .map((one) => (textAt(one, 'reason') === 'ExitCode' ? textAt(one, 'message') : undefined))
    .find(Boolean)
  return code === undefined ? undefined : Number(code)
}
