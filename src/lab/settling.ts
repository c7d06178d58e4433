/** Changes in a cloud that take their time: who was refused before one is refused in the same words until it is seen everywhere. */
import type { Handler, Reply, Request } from './listener.ts'

export type Settling = {
  /** Around a service in which trust and permission are changed. */
  readonly changed: (handle: Handler) => Handler
  /** Around one that exchanges tokens. */
  readonly exchanged: (handle: Handler) => Handler
}

/** Looks are GETs, but for the query protocol of AWS and what Google asks by POST, where tokens are exchanged as well. */
const isLook = ({ method, path, body }: Request): boolean =>
  method === 'GET' ||
  /(?:^|&)Action=(?:Get|List|Simulate)/.test(body) ||
  /:(?:get|test|query|search|generate)\w*$|^\/v1\/(?:token|introspect)$/i.test(path)

/** For whom the token is, without the token, which is another each time. */
function keyOf({ path, body }: Request): string {
  const form = new URLSearchParams(body)
  return [path, ...['RoleArn', 'client_id', 'audience'].map((name) => form.get(name) ?? '')].join(' ')
}

/** `takes`: milliseconds until a change is seen everywhere; 0: at once. */
export function settling(takes: number): Settling {
  if (takes === 0) return { changed: (handle) => handle, exchanged: (handle) => handle }
  let until = 0
  const refusals = new Map<string, Reply>()
  return {
    changed: (handle) => async (request) => {
      const reply = await handle(request)
      if (reply.status < 300 && !isLook(request)) until = Date.now() + takes
      return reply
    },
    exchanged: (handle) => async (request) => {
      const key = keyOf(request)
      const before = refusals.get(key)
      if (before !== undefined && Date.now() < until) return before
      const reply = await handle(request)
      if (reply.status >= 400) refusals.set(key, reply)
      return reply
    },
  }
}
