/** What the API server does for the log of a container: it asks the kubelet of the pod's node, and hands on what that says. */
import { request } from 'node:https'
import { at, type JsonObject, listAt, textAt } from '../core/json.ts'
import type { Reply, Request } from './listener.ts'

const mostBytes = 8 << 20
const text = (status: number, body: string): Reply => ({ status, headers: { 'content-type': 'text/plain' }, body })

/** `node` is the Node that the pod runs on, where the case has one. */
export function podLog(pod: JsonObject, node: JsonObject | undefined, { query }: Request): Promise<Reply> {
  const [namespace, name] = [textAt(pod, 'metadata', 'namespace'), textAt(pod, 'metadata', 'name')]
  const container = query.get('container') ?? textAt(listAt(pod, 'spec', 'containers')[0], 'name') ?? ''
  const address = listAt(node, 'status', 'addresses').find((one) => textAt(one, 'type') === 'InternalIP')
  const port = at(node, 'status', 'daemonEndpoints', 'kubeletEndpoint', 'Port')
  const host = textAt(address, 'address')
  // The nodes of a case are those of somebody's cluster: only one that says that it is on this machine is asked.
  if (host !== '127.0.0.1' || typeof port !== 'number')
    return Promise.resolve(text(500, `no kubelet runs for ${namespace}/${name} in the lab`))
  const path = `/containerLogs/${namespace}/${name}/${encodeURIComponent(container)}?${query}`
  return new Promise((resolve) => {
    // As an API server without --kubelet-certificate-authority: a kubelet's certificate is its own.
    const asked = request({ host, port, path, rejectUnauthorized: false, agent: false }, (answer) => {
      let body = ''
      answer.setEncoding('utf8')
      answer.on('data', (part: string) => {
        if (body.length < mostBytes) body += part
      })
      answer.on('end', () => resolve(text(answer.statusCode ?? 500, body)))
      answer.on('error', (error) => resolve(text(500, error.message)))
    })
    asked.on('error', (error) => resolve(text(500, error.message)))
    asked.end()
  })
}
