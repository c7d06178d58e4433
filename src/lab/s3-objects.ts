/** Objects of the lab's buckets, for whoever comes with a session: what its role's own policies plainly allow. */
import { randomUUID } from 'node:crypto'
import { at, type Json, listAt, textAt, textsAt } from '../core/json.ts'
import { aws } from '../domain/questions.ts'
import { arnParts } from './aws-accounts.ts'
import type { Session } from './aws-sessions.ts'
import type { Reply, Request } from './listener.ts'
import type { Permissions } from './s3.ts'

const xml = (status: number, body: string): Reply => ({
  status,
  headers: { 'content-type': 'application/xml', 'x-amz-request-id': randomUUID() },
  body: body === '' ? '' : `<?xml version="1.0" encoding="UTF-8"?>${body}`,
})

const acts: { readonly [method: string]: string } = { GET: 's3:GetObject', PUT: 's3:PutObject' }

/** `*` at an end or in the middle, as policies of buckets write it. */
const fits = (pattern: string, value: string): boolean => {
  const parts = pattern.split('*')
  const [first = '', ...rest] = parts
  if (!value.startsWith(first)) return false
  let from = first.length
  for (const part of rest) {
    const found = value.indexOf(part, from)
    if (found < 0) return false
    from = found + part.length
  }
  return rest.length === 0 ? value === first : rest.at(-1) === '' || value.endsWith(rest.at(-1) ?? '')
}

const allows = (policy: Json | undefined, action: string, resource: string): boolean =>
  [at(policy, 'Statement')].flat().some((statement) => {
    const plain = textAt(statement, 'Effect') === 'Allow' && at(statement, 'Condition') === undefined
    const acts = textsAt(statement, 'Action').some((one) => fits(one.toLowerCase(), action.toLowerCase()))
    return plain && acts && textsAt(statement, 'Resource').some((one) => fits(one, resource))
  })

export function s3Objects({ told }: Permissions): (request: Request, bucket: string, session: Session) => Reply {
  const held = new Map<string, string>()
  const may = ({ role }: Session, action: string, resource: string): boolean => {
    const account = arnParts(role.arn)?.account ?? ''
    const inline = textsAt(told(aws.rolePolicies(account, role.name)), 'PolicyNames')
    const attached = listAt(told(aws.attachedRolePolicies(account, role.name)), 'AttachedPolicies')
    return (
      inline.some((name) =>
        allows(at(told(aws.rolePolicy(account, role.name, name)), 'PolicyDocument'), action, resource),
      ) ||
      attached.some((one) =>
        allows(
          at(told(aws.policy(account, textAt(one, 'PolicyArn') ?? '')), 'PolicyVersion', 'Document'),
          action,
          resource,
        ),
      )
    )
  }
  return ({ method, path, query, body }, bucket, session) => {
    const key = path.split('/').slice(2).join('/')
    const [action, resource] =
      method === 'GET' && key === '' && query.get('list-type') === '2'
        ? ['s3:ListBucket', `arn:aws:s3:::${bucket}`]
        : [acts[method] ?? 's3:DeleteObject', `arn:aws:s3:::${bucket}/${key}`]
    if (!may(session, action, resource))
      return xml(
        403,
        `<Error><Code>AccessDenied</Code><Message>User: ${session.Arn} is not authorized to perform: ${action} on resource: "${resource}" because no identity-based policy allows the ${action} action</Message></Error>`,
      )
    const place = `${bucket}/${key}`
    if (action === 's3:ListBucket') {
      const own = [...held].filter(([one]) => one.startsWith(`${bucket}/`))
      const contents = own.map(
        ([one, text]) => `<Contents><Key>${one.slice(bucket.length + 1)}</Key><Size>${text.length}</Size></Contents>`,
      )
      return xml(
        200,
        `<ListBucketResult><Name>${bucket}</Name><KeyCount>${own.length}</KeyCount><IsTruncated>false</IsTruncated>${contents.join('')}</ListBucketResult>`,
      )
    }
    if (action === 's3:GetObject') {
      const text = held.get(place)
      return text === undefined
        ? xml(404, '<Error><Code>NoSuchKey</Code><Message>The specified key does not exist.</Message></Error>')
        : { status: 206, headers: { 'content-range': `bytes 0-0/${text.length}` }, body: text.slice(0, 1) }
    }
    if (action === 's3:PutObject') held.set(place, body)
    else held.delete(place)
    return xml(method === 'PUT' ? 200 : 204, '')
  }
}
