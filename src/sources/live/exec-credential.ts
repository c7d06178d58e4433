/** Runs a kubeconfig's exec credential plugin as kubectl does, bounded in size and time. */
import { spawn } from 'node:child_process'
import type { RequestOptions } from 'node:https'
import type { KubeConfig } from '@kubernetes/client-node'
import { isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { codeOf, LiveTrouble, plain } from './trouble.ts'

type Credential = {
  readonly token?: string
  readonly certificate?: string
  readonly key?: string
  readonly expires?: number
}

export type ExecSettings = {
  readonly exec: JsonObject
  /** The `spec.cluster` of KUBERNETES_EXEC_INFO, for plugins that ask for it (provideClusterInfo). */
  readonly cluster: JsonObject
  readonly timeoutMs: number
  readonly env: NodeJS.ProcessEnv
}

type Authenticator = Parameters<KubeConfig['addAuthenticator']>[0]

export type ExecAuthenticator = Authenticator & { readonly forget: () => void; readonly stop: () => void }

/** The provider's name that client-node's own exec support, which knows neither a limit nor KUBERNETES_EXEC_INFO, leaves alone. */
export const execProvider = 'kubectl-wi-exec'

const mostBytes = 1 << 20

/** An authenticator for client-node's KubeConfig: https://kubernetes.io/docs/reference/access-authn-authz/authentication/#client-go-credential-plugins */
export function execAuthenticator(settings: ExecSettings): ExecAuthenticator {
  let held: Promise<Credential> | undefined
  const stopper = new AbortController()
  const credential = async (): Promise<Credential> => {
    const known = await held?.catch(() => undefined)
    if (known !== undefined && (known.expires === undefined || known.expires > Date.now() + 5000)) return known
    held = run(settings, stopper.signal)
    return held
  }
  return {
    isAuthProvider: (user) => user.authProvider?.name === execProvider,
    applyAuthentication: async (_user, options: RequestOptions | object) => {
      const { token, certificate, key } = await credential()
      const target: RequestOptions = options
      if (certificate !== undefined && key !== undefined) Object.assign(target, { cert: certificate, key })
      if (token !== undefined) target.headers = { ...headersOf(target), Authorization: `Bearer ${token}` }
    },
    forget: () => {
      held = undefined
    },
    stop: () => stopper.abort(),
  }
}

const headersOf = ({ headers }: RequestOptions) => (headers === undefined || Array.isArray(headers) ? {} : headers)

function run({ exec, cluster, timeoutMs, env }: ExecSettings, signal: AbortSignal): Promise<Credential> {
  const command = textAt(exec, 'command') ?? ''
  const apiVersion = textAt(exec, 'apiVersion') ?? 'client.authentication.k8s.io/v1'
  const mode = textAt(exec, 'interactiveMode') ?? 'IfAvailable'
  const interactive = mode !== 'Never' && process.stdin.isTTY === true
  const hint = textAt(exec, 'installHint')
  const refuse = (happened: string, next?: string): LiveTrouble =>
    new LiveTrouble(
      happened,
      'the kubeconfig takes its credentials from that plugin, so nothing in the cluster could be asked',
      next ??
        `run \`kubectl get --raw /version\` with the same kubeconfig to see the plugin's own words, or sign in again`,
    )
  if (command === '') throw refuse('the kubeconfig names an exec credential plugin without a command')
  if (mode === 'Always' && !interactive)
    throw refuse(
      `the credential plugin ${plain(command)} wants a terminal and there is none`,
      'run it on a terminal once',
    )

  const spec: JsonObject = { interactive, ...(exec.provideClusterInfo === true ? { cluster } : {}) }
  const info = { kind: 'ExecCredential', apiVersion, spec }
  const own: { [name: string]: string } = {}
  for (const one of listAt(exec, 'env')) {
    const name = textAt(one, 'name')
    if (name !== undefined) own[name] = textAt(one, 'value') ?? ''
  }
  const args = listAt(exec, 'args').map((arg) => (typeof arg === 'string' ? arg : JSON.stringify(arg)))

  return new Promise((resolve, reject) => {
    const child = spawn(command, args, {
      env: { ...env, ...own, KUBERNETES_EXEC_INFO: JSON.stringify(info) },
      stdio: [interactive ? 'inherit' : 'ignore', 'pipe', 'pipe'],
      signal,
      timeout: interactive ? Math.max(timeoutMs, 120_000) : timeoutMs,
    })
    const out: Buffer[] = []
    let size = 0
    let words = ''
    child.stdout.on('data', (chunk: Buffer) => {
      size += chunk.length
      if (size > mostBytes) child.kill('SIGKILL')
      else out.push(chunk)
    })
    child.stderr.on('data', (chunk: Buffer) => {
      // A plugin that asks the person for something asks it on stderr.
      if (interactive) process.stderr.write(chunk)
      if (words.length < 4000) words += chunk.toString('utf8')
    })
    child.on('error', (error) =>
      reject(
        codeOf(error) === 'ENOENT'
          ? refuse(
              `the credential plugin ${plain(command)} was not found`,
              hint === undefined ? `install ${plain(command)} or put it on PATH` : plain(hint),
            )
          : refuse(`the credential plugin ${plain(command)} could not be run (${codeOf(error)})`),
      ),
    )
    child.on('close', (status, killedBy) => {
      if (killedBy !== null) reject(refuse(`the credential plugin ${plain(command)} gave no credential in time`))
      else if (status !== 0)
        reject(refuse(`the credential plugin ${plain(command)} failed with exit code ${status}: ${plain(words)}`))
      else {
        const credential = read(Buffer.concat(out).toString('utf8'))
        if (credential === undefined)
          reject(
            refuse(
              `the credential plugin ${plain(command)} printed something else than an ExecCredential with a status`,
            ),
          )
        else resolve(credential)
      }
    })
  })
}

function read(text: string): Credential | undefined {
  let answer: Json
  try {
    answer = JSON.parse(text)
  } catch {
    return undefined
  }
  if (!isObject(answer) || !isObject(answer.status)) return undefined
  const token = textAt(answer, 'status', 'token')?.trim()
  const certificate = textAt(answer, 'status', 'clientCertificateData')
  const key = textAt(answer, 'status', 'clientKeyData')
  const expires = Date.parse(textAt(answer, 'status', 'expirationTimestamp') ?? '')
  if (token === undefined && certificate === undefined) return undefined
  return {
    ...(token === undefined ? {} : { token }),
    ...(certificate === undefined ? {} : { certificate }),
    ...(key === undefined ? {} : { key }),
    ...(Number.isFinite(expires) ? { expires } : {}),
  }
}
