/** The names of what there is in a cluster or a kubeconfig, for completion: one short list, and no second try. */
import { listAt, textAt } from '../../core/json.ts'
import { type ApiServerSettings, connect } from './api-server.ts'
import type { KubeFlags } from './kubeconfig.ts'
import { parse } from './kubernetes-answers.ts'
import { pathOf } from './kubernetes-lists.ts'

type Manner = ApiServerSettings & { readonly signal: AbortSignal }

/** A table of names is a hundredth of the objects themselves; a server that makes none answers with the objects. */
const accept = 'application/json;as=Table;v=v1;g=meta.k8s.io, application/json'
const most = 500
const mostBytes = 8 << 20

/**
 * The first names of this resource, in the namespace that the flags or the context choose; none where the server says no.
 * @throws LiveTrouble where no cluster can be chosen, or no credentials can be had
 */
export async function namesOf(resource: string, flags: KubeFlags, manner: Manner): Promise<readonly string[]> {
  const { signal } = manner
  const api = await connect(flags, manner)
  // A credential plugin that is still at work when the time is up is ended with it.
  signal.addEventListener('abort', api.close, { once: true })
  try {
    const path = pathOf(resource, api.namespace)
    if (path === undefined) return []
    const reply = await api.send(`${path}?limit=${most}&includeObject=None`, { accept, signal, maxBytes: mostBytes })
    if ('trouble' in reply || reply.status !== 200) return []
    const body = parse(reply.body)
    const column = listAt(body, 'columnDefinitions').findIndex((one) => textAt(one, 'name') === 'Name')
    const names =
      column < 0
        ? listAt(body, 'items').map((item) => textAt(item, 'metadata', 'name'))
        : listAt(body, 'rows').map((row) => listAt(row, 'cells')[column])
    return names.filter((name) => typeof name === 'string')
  } finally {
    api.close()
  }
}
