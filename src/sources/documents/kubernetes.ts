/** Recognises Kubernetes objects and lists, and knows of which kinds and namespaces the documents show everything. */
import { absent, type Fact, type Question } from '../../core/fact.ts'
import { at, isList, isObject, type Json, type JsonObject, listAt, textAt, textsAt } from '../../core/json.ts'
import { pickObject } from '../../domain/kubernetes-objects.ts'
import { isNamespaced, resourceOf } from '../../domain/kubernetes-resources.ts'
import { type Document, type Recogniser, told } from './document.ts'

/** `*` stands for all namespaces; a cluster-wide kind has the empty one. */
type Shelf = { readonly objects: Map<string, JsonObject>; readonly complete: Set<string> }

export type KubernetesDocuments = Recogniser & {
  /** What is there, for whoever chooses what to examine: plural → namespaces. */
  readonly seen: () => { readonly [resource: string]: readonly string[] }
  readonly objects: (resource: string) => readonly JsonObject[]
}

const everywhere = '*'

/** `namespace`: where objects go that name none, as with kubectl apply. */
export function kubernetesDocuments(namespace = 'default'): KubernetesDocuments {
  const shelves = new Map<string, Shelf>()
  let version: Json | undefined
  let context: Json | undefined

  const shelfOf = (resource: string): Shelf => {
    let shelf = shelves.get(resource)
    if (shelf === undefined) {
      shelf = { objects: new Map(), complete: new Set() }
      shelves.set(resource, shelf)
    }
    return shelf
  }

  const home = (resource: string, object: JsonObject): string =>
    isNamespaced(resource) ? (textAt(object, 'metadata', 'namespace') ?? namespace) : ''

  const put = (
    object: JsonObject,
    typed?: { apiVersion: string; kind: string },
  ): { resource: string; space: string } | undefined => {
    const picked = pickObject(object, typed)
    const name = textAt(picked, 'metadata', 'name') ?? textAt(picked, 'metadata', 'generateName')
    const kind = textAt(picked, 'kind') ?? ''
    if (name === undefined || kind === '') return undefined
    const resource = resourceOf(kind, textAt(picked, 'apiVersion'))
    const space = home(resource, picked)
    const { objects } = shelfOf(resource)
    const key = `${space}/${name}`
    // What the API server has returned says more than the manifest that it was made from.
    if (textAt(objects.get(key), 'metadata', 'uid') === undefined || textAt(picked, 'metadata', 'uid') !== undefined)
      objects.set(
        key,
        space === '' || textAt(picked, 'metadata', 'namespace') === space ? picked : withNamespace(picked, space),
      )
    return { resource, space }
  }

  const isCut = (list: JsonObject): boolean =>
    Boolean(textAt(list, 'metadata', 'continue')) || at(list, 'metadata', 'remainingItemCount') !== undefined

  /** All objects of one kind: an empty list says that there are none. */
  const takeTyped = (list: JsonObject, items: readonly JsonObject[], apiVersion: string, kind: string): void => {
    const resource = resourceOf(kind, apiVersion)
    const spaces = new Set(items.map((item) => put(item, { apiVersion, kind })?.space))
    if (isCut(list)) return
    const { complete } = shelfOf(resource)
    if (items.length === 0 || spaces.size > 1 || !isNamespaced(resource)) complete.add(everywhere)
    else for (const space of spaces) if (space !== undefined) complete.add(space)
  }

  /** What `kubectl get -o yaml` prints: complete for the kinds and namespaces in it; an empty one says nothing. */
  const takeList = (list: JsonObject, items: readonly JsonObject[]): void => {
    const resources = new Set<string>()
    const spaces = new Set<string>()
    for (const item of items) {
      const place = put(item)
      if (place === undefined) continue
      resources.add(place.resource)
      if (isNamespaced(place.resource)) spaces.add(place.space)
    }
    if (isCut(list)) return
    for (const resource of resources) {
      const { complete } = shelfOf(resource)
      if (!isNamespaced(resource)) complete.add(everywhere)
      else for (const space of spaces) complete.add(space)
    }
  }

  const take = ({ value }: Document): boolean => {
    if (!isObject(value)) return false
    const { apiVersion, kind, items, serverVersion } = value
    if (isObject(serverVersion) && apiVersion === undefined) {
      version = serverVersion
      return true
    }
    if (typeof apiVersion !== 'string' || typeof kind !== 'string') return false
    if (kind === 'Config' && (value.users !== undefined || value.clusters !== undefined)) {
      context = contextOf(value)
      return true
    }
    if (apiVersion.startsWith('kubectl-wi/') || kind === 'TokenRequest' || kind === 'Status') return false
    if (isList(items) && kind.endsWith('List')) {
      const objects = items.filter(isObject)
      if (kind === 'List') takeList(value, objects)
      else takeTyped(value, objects, apiVersion, kind.slice(0, -4))
      return true
    }
    // A typed list that is empty is printed as `items: null` by some.
    if (kind.endsWith('List') && kind !== 'List' && items === null) {
      takeTyped(value, [], apiVersion, kind.slice(0, -4))
      return true
    }
    return isObject(value.metadata) && put(value) !== undefined
  }

  const get = (resource: string, question: Question): Fact<Json> | undefined => {
    const shelf = shelves.get(resource)
    const name = textAt(question.input, 'name')
    const space = textAt(question.input, 'namespace') ?? (isNamespaced(resource) ? namespace : '')
    const object = shelf?.objects.get(`${space}/${name}`)
    if (object !== undefined) return told(object, question)
    return shelf?.complete.has(everywhere) || shelf?.complete.has(space) ? Object.freeze(absent(question)) : undefined
  }

  const list = (resource: string, question: Question): Fact<Json> | undefined => {
    const shelf = shelves.get(resource)
    if (shelf === undefined) return undefined
    const space = textAt(question.input, 'namespace')
    const complete = shelf.complete.has(everywhere) || (space !== undefined && shelf.complete.has(space))
    const items: JsonObject[] = []
    for (const [key, object] of shelf.objects)
      if (space === undefined || key.startsWith(`${space}/`)) items.push(object)
    return items.length === 0 && !complete ? undefined : told({ items, complete }, question)
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.system !== 'kubernetes') return undefined
    const { call } = question
    if (call === 'config') return context === undefined ? undefined : told(context, question)
    if (call === 'nonresource /version/get') return version === undefined ? undefined : told(version, question)
    if (call.startsWith('nonresource ') || call === 'serviceaccounts/token/create') return undefined
    const cut = call.lastIndexOf('/')
    const verb = call.slice(cut + 1)
    if (verb === 'get') return get(call.slice(0, cut), question)
    return verb === 'list' ? list(call.slice(0, cut), question) : undefined
  }

  return {
    take,
    answer,
    objects: (resource) => [...(shelves.get(resource)?.objects.values() ?? [])],
    seen: () =>
      Object.fromEntries(
        [...shelves].map(([resource, { objects }]) => [
          resource,
          [...new Set([...objects.keys()].map((key) => key.slice(0, key.indexOf('/'))))].sort(),
        ]),
      ),
  }
}

const withNamespace = (object: JsonObject, namespace: string): JsonObject => ({
  ...object,
  metadata: { ...(isObject(object.metadata) ? object.metadata : {}), namespace },
})

/** What a credential plugin is called with, as far as it names whom and what it asks for; its other arguments may be secret. */
function pluginOf(exec: JsonObject): JsonObject {
  const args = textsAt(exec, 'args')
  const after = (...flags: readonly string[]): string | undefined => {
    const at = args.findIndex((arg) => flags.includes(arg))
    const joined = args.find((arg) => flags.some((flag) => flag.startsWith('--') && arg.startsWith(`${flag}=`)))
    return at >= 0 ? args[at + 1] : joined?.slice(joined.indexOf('=') + 1)
  }
  const variable = (name: string): string | undefined =>
    textAt(
      listAt(exec, 'env').find((one) => textAt(one, 'name') === name),
      'value',
    )
  const said = {
    command: textAt(exec, 'command'),
    apiVersion: textAt(exec, 'apiVersion'),
    clusterName: after('--cluster-name', '-i', '--cluster-id'),
    region: after('--region') ?? variable('AWS_REGION'),
    role: after('--role-arn', '--role', '-r'),
    profile: after('--profile') ?? variable('AWS_PROFILE'),
  }
  return Object.fromEntries(
    Object.entries(said).flatMap(([name, value]) => (value === undefined ? [] : [[name, value]])),
  )
}

/** The names in a kubeconfig; of its users, which hold keys and tokens, only what a credential plugin is asked for. */
function contextOf(config: JsonObject): JsonObject {
  const named = (list: Json | undefined, name: string | undefined): Json | undefined =>
    isList(list) ? list.find((one) => textAt(one, 'name') === name) : undefined
  const context = textAt(config, 'current-context')
  const entry = named(config.contexts, context)
  const cluster = textAt(entry, 'context', 'cluster')
  const server = textAt(named(config.clusters, cluster), 'cluster', 'server')
  const namespace = textAt(entry, 'context', 'namespace')
  const user = textAt(entry, 'context', 'user')
  const exec = at(named(config.users, user), 'user', 'exec')
  return {
    ...(user === undefined ? {} : { user }),
    ...(isObject(exec) ? { exec: pluginOf(exec) } : {}),
    ...(context === undefined ? {} : { context }),
    ...(cluster === undefined ? {} : { cluster }),
    ...(server === undefined ? {} : { server }),
    ...(namespace === undefined ? {} : { namespace }),
  }
}
