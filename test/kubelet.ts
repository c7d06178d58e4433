/** A kubelet for tests, and the Job controller where there is none: it runs containers of one image by a function, and serves their logs. */
import { createServer } from 'node:https'
import type { AddressInfo } from 'node:net'
import path from 'node:path'
import { at, isObject, type Json, type JsonObject, listAt, textAt } from '../src/core/json.ts'
import { makeAuthority } from '../src/lab/certificates.ts'
import { connect } from '../src/sources/live/api-server.ts'

export type Asked = {
  readonly args: readonly string[]
  readonly env: { readonly [name: string]: string }
  /** What the mounts of the container hold, by path. */
  readonly files: { readonly [path: string]: string }
  readonly container: JsonObject
}
export type Ran = { readonly log: string; readonly code: number }
export type Order = {
  readonly kubeconfig: string
  readonly node: string
  readonly image: string
  readonly run: (asked: Asked) => Promise<Ran>
  /** Makes the pods of Jobs, too. */
  readonly controller?: boolean
  /** What becomes of a container in place of running: the reason that its status gives for waiting. */
  readonly waits?: { readonly reason: string; readonly message: string }
}

const every = 100
const core = '/api/v1'

/** Ends with `close`. What it cannot do is thrown there. */
export async function playKubelet({ kubeconfig, node, image, run, controller = false, waits }: Order) {
  const api = await connect({ kubeconfig }, { env: {} })
  const send = async (path: string, body?: Json, patch?: string): Promise<Json | undefined> => {
    const how = patch === undefined ? {} : { method: 'PATCH' as const, contentType: patch }
    const reply = await api.send(path, body === undefined ? {} : { body, ...how })
    if ('trouble' in reply) throw new Error(`${path}: ${reply.detail}`)
    if (reply.status === 404 || reply.status === 409) return undefined
    if (reply.status >= 300) throw new Error(`${path}: ${reply.status} ${reply.body}`)
    return JSON.parse(reply.body.toString('utf8'))
  }
  const merge = 'application/merge-patch+json'

  const logs = new Map<string, Promise<Ran>>()
  const leaf = await (await makeAuthority()).leaf(['127.0.0.1'])
  const server = createServer(leaf, async (request, response) => {
    const [, , ...place] = (request.url ?? '').split('?')[0]?.split('/') ?? []
    const log = logs.get(place.join('/'))
    response.writeHead(log === undefined ? 404 : 200, { 'content-type': 'text/plain' })
    response.end(log === undefined ? 'no such container' : (await log).log)
  })
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  const status = {
    addresses: [{ type: 'InternalIP', address: '127.0.0.1' }],
    daemonEndpoints: { kubeletEndpoint: { Port: port } },
  }
  await send(`${core}/nodes`, { apiVersion: 'v1', kind: 'Node', metadata: { name: node } })
  await send(`${core}/nodes/${node}/status`, { status }, merge)

  const secretOf = async (namespace: string, name: string): Promise<Json | undefined> =>
    send(`${core}/namespaces/${namespace}/secrets/${name}`)
  const decoded = (data: Json | undefined): readonly (readonly [string, string])[] =>
    Object.entries(isObject(data) ? data : {}).map(([key, value]) => [
      key,
      Buffer.from(String(value), 'base64').toString('utf8'),
    ])

  const filesOf = async (volume: Json | undefined, namespace: string, account: string) => {
    const files: [string, string][] = []
    const named = textAt(volume, 'secret', 'secretName')
    if (named !== undefined)
      files.push(...decoded(at(await secretOf(namespace, named), 'data')).map(([k, v]) => [k, v] as [string, string]))
    for (const source of listAt(volume, 'projected', 'sources')) {
      const asked = at(source, 'serviceAccountToken')
      if (asked === undefined) continue
      const audience = textAt(asked, 'audience')
      const spec = { audiences: audience === undefined ? [] : [audience], expirationSeconds: 3600 }
      const made = await send(`${core}/namespaces/${namespace}/serviceaccounts/${account}/token`, { spec })
      files.push([textAt(asked, 'path') ?? 'token', textAt(made, 'status', 'token') ?? ''])
    }
    return files
  }

  const asked = async (pod: Json, container: JsonObject): Promise<Asked> => {
    const namespace = textAt(pod, 'metadata', 'namespace') ?? ''
    const account = textAt(pod, 'spec', 'serviceAccountName') ?? 'default'
    const files: { [path: string]: string } = {}
    for (const mount of listAt(container, 'volumeMounts')) {
      const volume = listAt(pod, 'spec', 'volumes').find((one) => textAt(one, 'name') === textAt(mount, 'name'))
      for (const [name, text] of await filesOf(volume, namespace, account))
        files[path.posix.join(textAt(mount, 'mountPath') ?? '/', name)] = text
    }
    const env = Object.fromEntries(
      listAt(container, 'env').flatMap((one) => {
        const value = textAt(one, 'value')
        return value === undefined ? [] : [[textAt(one, 'name') ?? '', value]]
      }),
    )
    return { args: listAt(container, 'args').map(String), env, files, container }
  }

  const start = async (pod: Json, container: JsonObject, list: string): Promise<void> => {
    const [namespace, name] = [textAt(pod, 'metadata', 'namespace'), textAt(pod, 'metadata', 'name')]
    const own = textAt(container, 'name') ?? ''
    const where = `${core}/namespaces/${namespace}/pods/${name}/status`
    const state = (now: JsonObject, more: JsonObject = {}): Promise<Json | undefined> => {
      const entry = { name: own, image, imageID: '', ready: false, restartCount: 0, state: now }
      return send(where, { status: { ...more, [list]: [entry] } }, merge)
    }
    const place = `${namespace}/${name}/${own}`
    if (waits !== undefined) {
      logs.set(place, Promise.resolve({ log: '', code: 1 }))
      await state({ waiting: waits })
      return
    }
    const running = asked(pod, container).then(run)
    logs.set(place, running)
    await state({ running: { startedAt: new Date().toISOString() } }, { phase: 'Running' })
    const { code } = await running
    const phase = list === 'containerStatuses' ? { phase: code === 0 ? 'Succeeded' : 'Failed' } : {}
    await state({ terminated: { exitCode: code, reason: code === 0 ? 'Completed' : 'Error' } }, phase)
  }

  const ofJob = async (job: Json): Promise<void> => {
    const [namespace, name] = [textAt(job, 'metadata', 'namespace'), textAt(job, 'metadata', 'name') ?? '']
    const template = at(job, 'spec', 'template')
    const metadata = isObject(template) && isObject(template.metadata) ? template.metadata : {}
    const labels = { ...(isObject(metadata.labels) ? metadata.labels : {}), 'job-name': name }
    const body = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: `${name}-x7z2p`, namespace: namespace ?? '', labels },
      spec: at(template, 'spec') ?? {},
      status: { phase: 'Pending' },
    }
    await send(`${core}/namespaces/${namespace}/pods`, body)
  }

  const troubles: unknown[] = []
  const work: Promise<void>[] = []
  const known = new Set<string>()
  const look = async (): Promise<void> => {
    if (controller)
      for (const job of listAt(await send('/apis/batch/v1/jobs'), 'items')) {
        const uid = textAt(job, 'metadata', 'uid') ?? ''
        if (!known.has(uid)) await ofJob(job)
        known.add(uid)
      }
    for (const pod of listAt(await send(`${core}/pods?fieldSelector=spec.nodeName%3D${node}`), 'items'))
      for (const [from, list] of [
        ['containers', 'containerStatuses'],
        ['ephemeralContainers', 'ephemeralContainerStatuses'],
      ] as const)
        for (const container of listAt(pod, 'spec', from)) {
          const place = `${textAt(pod, 'metadata', 'uid')}/${textAt(container, 'name')}`
          if (!isObject(container) || textAt(container, 'image') !== image || known.has(place)) continue
          known.add(place)
          work.push(start(pod, container, list).catch((error: unknown) => void troubles.push(error)))
        }
  }
  let open = true
  const looking = (async () => {
    while (open) {
      await look().catch((error: unknown) => void troubles.push(error))
      await new Promise((done) => setTimeout(done, every))
    }
  })()
  return {
    /** Binds the pod to the node, as a scheduler would, and calls it running. */
    take: async (namespace: string, name: string): Promise<void> => {
      const pod = `${core}/namespaces/${namespace}/pods/${name}`
      const target = { apiVersion: 'v1', kind: 'Node', name: node }
      await send(`${pod}/binding`, { apiVersion: 'v1', kind: 'Binding', metadata: { name }, target })
      await send(`${pod}/status`, { status: { phase: 'Running' } }, merge)
    },
    close: async () => {
      open = false
      await looking
      await Promise.all(work)
      server.close()
      server.closeAllConnections()
      api.close()
      if (troubles.length > 0) throw new AggregateError(troubles, troubles.map(String).join('\n'))
    },
  }
}
