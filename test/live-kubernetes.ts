/** What the tests of the Kubernetes source share: a server with a certificate, kubeconfigs that lead to it, and sources to ask. */
import { afterAll, afterEach, beforeAll, expect } from 'vitest'
import type { Fact } from '../src/core/fact.ts'
import type { Json } from '../src/core/json.ts'
import { kubernetes } from '../src/domain/questions.ts'
import type { KubeFlags } from '../src/sources/live/kubeconfig.ts'
import { type KubernetesDeps, type KubernetesSource, kubernetesSource } from '../src/sources/live/kubernetes.ts'
import { tokenVault } from '../src/sources/live/token-vault.ts'
import { LiveTrouble } from '../src/sources/live/trouble.ts'
import {
  type Answer,
  type Authority,
  authority,
  base64,
  folder,
  type Identity,
  type Served,
  serve,
} from './live-doubles.ts'

export const canary = 'canary-credential-1234567890'

type Entry = { readonly [key: string]: unknown }

/** Registers its own hooks: call it once at the top of a test file. */
export function kubernetesTests() {
  let ca: Authority
  let server: Identity
  const place = folder()
  const open: (() => void | Promise<void>)[] = []
  beforeAll(async () => {
    ca = await authority()
    server = await ca.issue({ names: ['127.0.0.1'] })
  })
  afterEach(async () => {
    for (const close of open.splice(0)) await close()
  })
  afterAll(() => place.remove())

  const api = async (answer: Answer, tls: object = {}): Promise<Served> => {
    const served = await serve({ ...server, ...tls }, answer)
    open.push(served.close)
    return served
  }
  const config = (url: string, user: Entry, cluster: Entry = {}, context: Entry = {}): string =>
    JSON.stringify({
      apiVersion: 'v1',
      kind: 'Config',
      clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority-data': base64(ca.pem), ...cluster } }],
      users: [{ name: 'u', user }],
      contexts: [{ name: 'x', context: { cluster: 'c', user: 'u', namespace: 'shop', ...context } }],
      'current-context': 'x',
    })
  const source = async (
    text: string,
    flags: KubeFlags = {},
    deps: Partial<KubernetesDeps> = {},
  ): Promise<KubernetesSource> => {
    const kubeconfig = place.file('config', text)
    const settings = { vault: tokenVault(), timeoutMs: 3000, env: { PATH: process.env.PATH }, ...deps }
    const made = await kubernetesSource({ kubeconfig, ...flags }, settings)
    open.push(made.close)
    return made
  }
  return { place, open, api, config, source, ca: () => ca }
}

export const ask = async (
  from: KubernetesSource,
  question = kubernetes.get('pods', 'shop', 'a'),
): Promise<Fact<Json>> => from.ask(question)

export const pod = (name: string, namespace = 'shop') => ({
  metadata: { name, namespace },
  spec: { serviceAccountName: 'cart' },
})

export const trouble = async (go: Promise<unknown>): Promise<LiveTrouble> => {
  const error = await go.then(
    () => undefined,
    (thrown: unknown) => thrown,
  )
  expect(error).toBeInstanceOf(LiveTrouble)
  if (!(error instanceof LiveTrouble)) throw new Error('not the trouble that was expected')
  return error
}
