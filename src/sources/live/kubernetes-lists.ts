/** Lists of one kind: fetched in pages of which only the picks are kept, then answered from memory. */
import { setImmediate as turn } from 'node:timers/promises'
import { setFlagsFromString } from 'node:v8'
import { type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { pluralOf, resources } from '../../knowledge/permissions.ts'
import type { ApiServer } from './api-server.ts'
import { factOf, silence } from './kubernetes-answers.ts'
import { formatOf, inJson } from './list-format.ts'
import { type NoReply, type Reply, release, unpack } from './wire.ts'

/** The compromise between round trips and memory: a page of pods is 4 to 5 MB of JSON. */
const pageSize = 1000
const mostPages = 400
const mostPageBytes = 256 << 20

export type Listing = {
  readonly items: readonly Json[]
  readonly complete: boolean
  readonly named: (namespace: string | undefined, name: string) => Json | undefined
  readonly of: (namespace: string) => readonly Json[]
}

/** The API path of a kind, its collection or one object; undefined for a kind that is not in the table of resources. */
export function pathOf(resource: string, namespace?: string, name?: string): string | undefined {
  const place = Object.hasOwn(resources, resource) ? resources[resource] : undefined
  if (place === undefined) return undefined
  const root = place.group === '' ? `/api/${place.version}` : `/apis/${place.group}/${place.version}`
  const inside = place.namespaced && namespace !== undefined ? `/namespaces/${encodeURIComponent(namespace)}` : ''
  return `${root}${inside}/${pluralOf(resource)}${name === undefined ? '' : `/${encodeURIComponent(name)}`}`
}

/** Finds one object, or those of a namespace, without walking all of them each time. */
export function listing(items: readonly Json[], complete: boolean): Listing {
  let shelves: Map<string, Map<string, Json>> | undefined
  const lists = new Map<string, readonly Json[]>()
  const none: readonly Json[] = []
  const shelved = (): Map<string, Map<string, Json>> => {
    if (shelves !== undefined) return shelves
    shelves = new Map()
    for (const item of items) {
      const namespace = textAt(item, 'metadata', 'namespace') ?? ''
      let shelf = shelves.get(namespace)
      if (shelf === undefined) {
        shelf = new Map()
        shelves.set(namespace, shelf)
      }
      shelf.set(textAt(item, 'metadata', 'name') ?? '', item)
    }
    return shelves
  }
  return {
    items,
    complete,
    named: (namespace, name) =>
      shelved()
        .get(namespace ?? '')
        ?.get(name),
    of: (namespace) => {
      const held = lists.get(namespace)
      if (held !== undefined) return held
      const shelf = shelved().get(namespace)
      const made = shelf === undefined ? none : [...shelf.values()]
      lists.set(namespace, made)
      return made
    },
  }
}

/** Of the unpacked pages of a run: what is more than this makes a heap whose growth costs more than collecting it sooner. */
const manyBytes = 36 << 20
let bytesRead = 0

/** Tells V8 once, when a cluster turns out to be that large. */
function count(bytes: number): void {
  const before = bytesRead
  bytesRead += bytes
  if (before > manyBytes || bytesRead <= manyBytes) return
  // Collects at once when the heap has grown by so much, instead of beginning to and letting it grow on meanwhile.
  for (const flag of ['--no-incremental-marking', '--heap-growing-percent=60']) setFlagsFromString(flag)
}

/** Pages of several kinds arrive at the same time; only one is unpacked and read, so that only one takes up memory. */
let turnOf: Promise<unknown> = Promise.resolve()
function oneAtATime<T>(go: () => Promise<T>): Promise<T> {
  const mine = turnOf.then(go)
  turnOf = mine.catch(() => undefined)
  return mine
}

/**
 * All objects of a kind in one namespace or in all. A listing whose continuation has expired (410) is begun again once.
 * @throws LiveTrouble where no credentials can be had at all
 */
export async function fetchList(
  api: ApiServer,
  resource: string,
  namespace: string | undefined,
  question: Question,
  signal?: AbortSignal,
  selector?: string,
): Promise<Fact<Listing>> {
  const path = pathOf(resource, namespace)
  if (path === undefined) return unknown('not-asked', `${resource} is not a kind that kubectl wi asks for`, question)
  for (let attempt = 1; ; attempt += 1) {
    const outcome = await fetchPages(api, { path, resource }, question, signal, selector)
    if (outcome !== 'expired') return outcome
    if (attempt === 2)
      return unknown(
        'unreachable',
        `the list of ${resource} expired twice while it was being read`,
        question,
        'ask again, or examine one namespace with -n',
      )
  }
}

async function fetchPages(
  api: ApiServer,
  { path, resource }: { readonly path: string; readonly resource: string },
  question: Question,
  signal: AbortSignal | undefined,
  selector: string | undefined,
): Promise<Fact<Listing> | 'expired'> {
  const items: Json[] = []
  const format = formatOf(resource)
  const page = (from: string | undefined): Promise<Reply | NoReply> =>
    api.send(
      `${path}?limit=${pageSize}${selector === undefined ? '' : `&${selector}`}${from === undefined ? '' : `&continue=${encodeURIComponent(from)}`}`,
      {
        signal,
        maxBytes: mostPageBytes,
        packed: true,
        accept: format.accept,
      },
    )
  let next: Promise<Reply | NoReply> | undefined = page(undefined)
  for (let pages = 0; next !== undefined; pages += 1) {
    const reply: Reply | NoReply = await next
    if ('trouble' in reply) return retyped(silence(reply, question, api))
    if (reply.status === 410 && pages > 0) return 'expired'
    const taken = await oneAtATime(async () => {
      const plain = await unpack(reply, mostPageBytes)
      if ('trouble' in plain || plain.status !== 200)
        return factOf('trouble' in plain ? plain : inJson(plain), question, api, () => undefined)
      count(plain.body.length)
      const opened = format.open(plain)
      const from = pages + 1 < mostPages ? opened.next : undefined
      next = from === undefined ? undefined : page(from)
      // Lets the request leave before the parser holds the thread.
      if (next !== undefined) await turn()
      const read = opened.read() ?? factOf(plain, question, api, () => undefined)
      release(plain)
      return read
    })
    if ('state' in taken) {
      next?.catch(() => undefined)
      return retyped(taken)
    }
    for (const item of taken.items) items.push(item)
    if (next === undefined && taken.rest !== '') {
      if (pages + 1 >= mostPages) return known(listing(items, false), question)
      next = page(taken.rest)
    }
  }
  return known(listing(items, true), question)
}

/** A fact that holds no value fits any type; one that does has no business here. */
const retyped = (fact: Fact<Json>): Fact<Listing> =>
  fact.state === 'known' ? unknown('malformed', 'the list has a form that is not understood', fact.from) : fact
