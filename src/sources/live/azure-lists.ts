/** Lists of the resource manager and of Graph, read page by page as far as is reasonable. */
import type { Question, Unknown } from '../../core/fact.ts'
import { isObject, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { answerOf } from './azure-answers.ts'
import type { AzureRest, Service } from './azure-rest.ts'

export type Listing =
  | { readonly items: readonly JsonObject[]; readonly complete: boolean }
  | { readonly missing: true }
  | { readonly unseen: Unknown }

const mostPages = 20
export const mostSubscriptions = 20

/** All pages; `complete` is false where there were more than are read. */
export async function listAll(
  rest: AzureRest,
  service: Service,
  path: string,
  question: Question,
  signal?: AbortSignal,
): Promise<Listing> {
  const items: JsonObject[] = []
  let next: string | undefined = path
  for (let page = 0; page < mostPages && next !== undefined; page += 1) {
    const answer = answerOf(await rest.send(service, next, { signal }), question)
    if ('unseen' in answer || 'missing' in answer) return answer
    items.push(...listAt(answer.json, 'value').filter(isObject))
    next = textAt(answer.json, 'nextLink') ?? textAt(answer.json, '@odata.nextLink')
  }
  return { items, complete: next === undefined }
}

export type Subscriptions =
  | { readonly ids: readonly string[]; readonly complete: boolean }
  | { readonly unseen: Unknown }

/** The one that the environment names, else those that can be seen. */
export async function subscriptionsOf(
  rest: AzureRest,
  env: NodeJS.ProcessEnv,
  question: Question,
  signal?: AbortSignal,
): Promise<Subscriptions> {
  const chosen = env.AZURE_SUBSCRIPTION_ID ?? ''
  if (/^[0-9a-f-]{36}$/i.test(chosen)) return { ids: [chosen], complete: false }
  const list = await listAll(rest, 'arm', '/subscriptions?api-version=2022-12-01', question, signal)
  if ('missing' in list) return { ids: [], complete: false }
  if ('unseen' in list) return list
  const ids = list.items.flatMap((one) => {
    const id = textAt(one, 'subscriptionId')
    return id === undefined || textAt(one, 'state') === 'Disabled' ? [] : [id]
  })
  return { ids: ids.slice(0, mostSubscriptions), complete: list.complete && ids.length <= mostSubscriptions }
}

/** The same list of each subscription, joined. What one of them refuses leaves the whole incomplete; all of them, unseen. */
export async function listInEach(
  rest: AzureRest,
  subscriptions: { readonly ids: readonly string[]; readonly complete: boolean },
  pathIn: (subscription: string) => string,
  question: Question,
  signal?: AbortSignal,
): Promise<Exclude<Listing, { readonly missing: true }>> {
  const lists = await Promise.all(
    subscriptions.ids.map((id) => listAll(rest, 'arm', pathIn(`/subscriptions/${id}`), question, signal)),
  )
  const items: JsonObject[] = []
  let complete = subscriptions.complete
  let unseen: Unknown | undefined
  for (const one of lists) {
    if ('items' in one) items.push(...one.items)
    if ('unseen' in one) unseen = one.unseen
    complete &&= 'items' in one && one.complete
  }
  return unseen !== undefined && items.length === 0 ? { unseen } : { items, complete }
}
