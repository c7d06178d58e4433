/** Objects of the lab's buckets of Cloud Storage, for whoever comes with a token: what the bucket's policy gives them. */

import { gcp } from '../domain/questions.ts'
import { denied, googleError, json, notFound, unauthenticated } from './gcp-answers.ts'
import type { StsDesk } from './gcp-sts.ts'
import { may } from './gcp-use.ts'
import type { Reply, Request } from './listener.ts'

type Act = 'list' | 'get' | 'create' | 'delete'

/** In memory, as long as the lab lives. */
const shelves = new WeakMap<StsDesk, Map<string, string>>()
const shelfOf = (desk: StsDesk): Map<string, string> => {
  const held = shelves.get(desk) ?? new Map<string, string>()
  shelves.set(desk, held)
  return held
}

function refusal(act: Act, bucket: string, request: Request, desk: StsDesk): Reply | undefined {
  const bearer = desk.tokens.of(request)
  if (bearer === undefined) return unauthenticated()
  if (bearer.kind === 'workload' && desk.state.get(gcp.bucket(bucket))?.uniformBucketLevelAccess === false)
    return googleError(
      412,
      'FAILED_PRECONDITION',
      'The type of authentication token used for this request requires that Uniform Bucket Level Access be enabled.',
    )
  const permission = `storage.objects.${act}`
  if (may(bucket, bearer, desk, permission)) return undefined
  const who = bearer.kind === 'account' ? bearer.email : bearer.kind === 'workload' ? bearer.principal : 'Caller'
  const what = act === 'list' ? 'the Google Cloud Storage bucket' : 'the Google Cloud Storage object'
  return denied(
    permission,
    `${who} does not have ${permission} access to ${what}. Permission '${permission}' denied on resource (or it may not exist).`,
  )
}

export function listObjects(bucket: string, request: Request, desk: StsDesk): Reply {
  const no = refusal('list', bucket, request, desk)
  if (no !== undefined) return no
  const items = [...shelfOf(desk)].flatMap(([place, text]) =>
    place.startsWith(`${bucket}/`) ? [{ name: place.slice(bucket.length + 1), size: String(text.length) }] : [],
  )
  return json(200, { kind: 'storage#objects', items })
}

export function putObject(bucket: string, request: Request, desk: StsDesk): Reply {
  const name = request.query.get('name') ?? ''
  const no = refusal('create', bucket, request, desk)
  if (no !== undefined) return no
  shelfOf(desk).set(`${bucket}/${name}`, request.body)
  return json(200, { kind: 'storage#object', name, bucket })
}

export function oneObject(bucket: string, name: string, request: Request, desk: StsDesk): Reply {
  const isRead = request.method === 'GET'
  const no = refusal(isRead ? 'get' : 'delete', bucket, request, desk)
  if (no !== undefined) return no
  const shelf = shelfOf(desk)
  const text = shelf.get(`${bucket}/${name}`)
  if (text === undefined) return notFound(`No such object: ${bucket}/${name}`)
  if (isRead) return { status: 200, body: request.headers.range === undefined ? text : text.slice(0, 1) }
  shelf.delete(`${bucket}/${name}`)
  return { status: 204, body: '' }
}
