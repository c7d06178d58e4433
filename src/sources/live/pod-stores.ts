/** Cloud Storage and Blob Storage as a pod meets them, with the access token that its exchange gave. */
import { listAt, textAt } from '../../core/json.ts'
import type { Attempt } from './pod-aws.ts'
import { type Answered, type PodWeb, refusalOf, silent } from './pod-web.ts'
import type { GivenName, TokenVault } from './token-vault.ts'
import { plain } from './trouble.ts'

/** What is done to a store to learn what it admits. */
export type Store = {
  /** Tells `objects`, and of one that may be read now `key` and `size`. */
  readonly list: () => Promise<Attempt>
  /** Of an object with something in it no more than a byte. */
  readonly read: (key: string, empty: boolean) => Promise<Attempt>
  readonly put: (key: string) => Promise<Attempt>
  readonly remove: (key: string) => Promise<Attempt>
}

/** What our own objects hold. */
export const content = 'kubectl wi exchange-test'
/** Enough to find one that is no folder and in no archive. */
export const some = 20

type Order = {
  readonly method?: string
  readonly headers?: { readonly [name: string]: string }
  readonly body?: string
}
/** The access token to ask with, where the vault holds it. */
export type Access = { readonly web: PodWeb; readonly vault: TokenVault; readonly token: GivenName }
type Asking = Access & {
  readonly headers: () => { readonly [name: string]: string }
  readonly refusal: (url: URL, answered: Answered) => Attempt
}

const withoutToken: Attempt = { state: 'unseen', detail: 'there is no access token to look with', unreachable: false }
const rangeOf = (empty: boolean): { readonly [name: string]: string } => (empty ? {} : { Range: 'bytes=0-0' })

async function ask(
  { web, vault, token, headers, refusal }: Asking,
  address: string,
  order: Order,
  then: (answered: Answered) => { readonly [name: string]: string } = () => ({}),
): Promise<Attempt> {
  const url = URL.parse(address)
  if (url === null) return { state: 'unseen', detail: `${plain(address)} is no address`, unreachable: false }
  const { method, body } = order
  const going = vault.lend(token, (raw) =>
    web.send(url, {
      ...(method === undefined ? {} : { method }),
      ...(body === undefined ? {} : { body }),
      headers: { Authorization: `Bearer ${raw}`, ...headers(), ...order.headers },
    }),
  )
  if (going === undefined) return withoutToken
  const got = await going
  if ('trouble' in got) return silent(url, got)
  if (got.status >= 300) return refusal(url, got)
  return { state: 'done', told: { endpoint: url.origin, ...then(got) } }
}

/** What is told of a list: whether there is `any` object, and one that may be read, rather one with something in it. */
export const picked = (objects: readonly { readonly key: string; readonly size: string }[], any: boolean) => {
  const one = objects.find(({ size }) => size !== '0') ?? objects[0]
  return { objects: any ? 'at least one' : 'none', ...(one === undefined ? {} : one) }
}

/** https://cloud.google.com/storage/docs/json_api/v1/objects */
export function cloudStorage(access: Access, bucket: string): Store {
  const asking: Asking = { ...access, headers: () => ({}), refusal: (url, got) => refusalOf(access.web, url, got) }
  const name = encodeURIComponent(bucket)
  const objects = `https://storage.googleapis.com/storage/v1/b/${name}/o`
  const place = (key: string): string => `${objects}/${encodeURIComponent(key)}`
  return {
    list: () =>
      ask(asking, `${objects}?maxResults=${some}&fields=items(name,size)`, {}, ({ value }) => {
        const items = listAt(value, 'items')
        const found = items.map((one) => ({ key: textAt(one, 'name') ?? '', size: textAt(one, 'size') ?? '0' }))
        return picked(found, items.length > 0)
      }),
    read: (key, empty) => ask(asking, `${place(key)}?alt=media`, { headers: rangeOf(empty) }),
    put: (key) =>
      ask(
        asking,
        `https://storage.googleapis.com/upload/storage/v1/b/${name}/o?uploadType=media&name=${encodeURIComponent(key)}`,
        { headers: { 'Content-Type': 'text/plain' }, body: content },
      ),
    remove: (key) => ask(asking, place(key), { method: 'DELETE' }),
  }
}

/** The oldest version that takes bearer tokens for all of this: https://learn.microsoft.com/rest/api/storageservices/authorize-with-azure-active-directory */
const version = '2021-12-02'
const blobEntry = /<Blob>(.{0,20000}?)<\/Blob>/gs
const member = (entry: string, name: string): string | undefined =>
  new RegExp(`<${name}(?: [^>]{0,80})?>([^<]{0,4096})</${name}>`).exec(entry)?.[1]
const entities: { readonly [entity: string]: string } = { amp: '&', lt: '<', gt: '>', quot: '"', apos: "'" }
const unescaped = (text: string): string =>
  text.replace(/&(amp|lt|gt|quot|apos);/g, (_, entity: string) => entities[entity] ?? '')

/** `host` is that of the storage account. https://learn.microsoft.com/rest/api/storageservices/list-blobs */
export function blobStorage(access: Access, host: string, container: string): Store {
  const { web } = access
  const asking: Asking = {
    ...access,
    headers: () => ({ 'x-ms-version': version, 'x-ms-date': new Date().toUTCString() }),
    refusal: (url, { status, headers, value }) => {
      const body = typeof value === 'string' ? value : ''
      const told = headers['x-ms-error-code']
      const code = typeof told === 'string' ? told : (member(body, 'Code') ?? `HTTP ${status}`)
      if (status >= 500 || code === 'BlobArchived')
        return {
          state: 'unseen',
          detail: `${plain(url.host)} answered ${status} ${web.words(code)}`,
          unreachable: false,
        }
      // Request id and time follow in lines of their own.
      const message = web.words(unescaped(member(body, 'Message') ?? '').split('\n')[0] ?? '')
      return { state: 'refused', answer: { code: web.words(code), message, status, endpoint: url.origin } }
    },
  }
  const base = `https://${host}/${encodeURIComponent(container)}`
  const place = (key: string): string => `${base}/${key.split('/').map(encodeURIComponent).join('/')}`
  return {
    list: () =>
      ask(asking, `${base}?restype=container&comp=list&maxresults=${some}`, {}, ({ value }) => {
        const entries = [...(typeof value === 'string' ? value : '').matchAll(blobEntry)].map(([, entry = '']) => entry)
        const found = entries
          .filter((entry) => member(entry, 'AccessTier') !== 'Archive')
          .flatMap((entry) => {
            const key = member(entry, 'Name')
            const isEncoded = /<Name Encoded="true">/.test(entry)
            return key === undefined || isEncoded
              ? []
              : [{ key: unescaped(key), size: member(entry, 'Content-Length') ?? '0' }]
          })
        return picked(found, entries.length > 0)
      }),
    read: (key, empty) => ask(asking, place(key), { headers: rangeOf(empty) }),
    put: (key) =>
      ask(asking, place(key), {
        method: 'PUT',
        headers: { 'x-ms-blob-type': 'BlockBlob', 'Content-Type': 'text/plain' },
        body: content,
      }),
    remove: (key) => ask(asking, place(key), { method: 'DELETE' }),
  }
}
