/** S3 as REST and XML: what a case shows of its buckets. */
import { randomUUID } from 'node:crypto'
import type { Question } from '../core/fact.ts'
import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import { aws } from '../domain/questions.ts'
import { awsBuckets } from '../sources/documents/aws-buckets.ts'
import { awsPolicies } from '../sources/documents/aws-policies.ts'
import { folderOf } from '../sources/documents/document.ts'
import { accessKeyOf, isSigned } from './aws-query.ts'
import type { Sessions } from './aws-sessions.ts'
import type { CaseDocument } from './case-documents.ts'
import type { Handler, Reply } from './listener.ts'
import { s3Objects } from './s3-objects.ts'

/** What the documents say about policies and buckets; undefined where they do not say. */
export type Permissions = { readonly told: (question: Question) => Json | undefined }

export function permissionsIn(documents: readonly CaseDocument[]): Permissions {
  const shelves = [awsPolicies(), awsBuckets()]
  for (const { file, stem, value } of documents) {
    if (value.apiVersion !== undefined) continue
    const document = { file, stem, folder: folderOf(file), value, line: 1, duplicates: () => [] }
    shelves.some((shelf) => shelf.take(document))
  }
  return {
    told: (question) => {
      for (const shelf of shelves) {
        const fact = shelf.answer(question)
        if (fact?.state === 'known') return fact.value
      }
      return undefined
    },
  }
}

const xml = (status: number, body: string): Reply => ({
  status,
  headers: { 'content-type': 'application/xml', 'x-amz-request-id': randomUUID() },
  body: `<?xml version="1.0" encoding="UTF-8"?>${body}`,
})
const failure = (status: number, code: string, message: string): Reply =>
  xml(status, `<Error><Code>${code}</Code><Message>${message}</Message></Error>`)
const texts = (value: Json | undefined): string =>
  isObject(value)
    ? Object.entries(value)
        .flatMap(([name, inner]) =>
          typeof inner === 'boolean' || (typeof inner === 'string' && /^[\w:/.-]*$/.test(inner))
            ? [`<${name}>${inner}</${name}>`]
            : [],
        )
        .join('')
    : ''

type Look = {
  readonly action: string
  readonly question: (Bucket: string) => Question
  readonly write: (value: Json) => Reply
}
const looks: { readonly [query: string]: Look } = {
  policy: {
    action: 's3:GetBucketPolicy',
    question: aws.bucketPolicy,
    write: (value) => ({
      status: 200,
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify(at(value, 'Policy') ?? {}),
    }),
  },
  publicAccessBlock: {
    action: 's3:GetBucketPublicAccessBlock',
    question: aws.bucketPublicAccess,
    write: (value) => {
      const name = 'PublicAccessBlockConfiguration'
      return xml(200, `<${name}>${texts(at(value, name))}</${name}>`)
    },
  },
  ownershipControls: {
    action: 's3:GetBucketOwnershipControls',
    question: aws.bucketOwnership,
    write: (value) => {
      const rules = listAt(value, 'OwnershipControls', 'Rules').map((one) => `<Rule>${texts(one)}</Rule>`)
      return xml(200, `<OwnershipControls>${rules.join('')}</OwnershipControls>`)
    },
  },
  encryption: {
    action: 's3:GetEncryptionConfiguration',
    question: aws.bucketEncryption,
    write: (value) => {
      const name = 'ServerSideEncryptionConfiguration'
      const rule = 'ApplyServerSideEncryptionByDefault'
      const rules = listAt(value, name, 'Rules').map((one) => `<Rule><${rule}>${texts(at(one, rule))}</${rule}></Rule>`)
      return xml(200, `<${name}>${rules.join('')}</${name}>`)
    },
  },
}

/** `refused` tells by `s3:GetBucketPolicy` what the signed-in identity may not look at; what the case does not show it may not either. */
export function s3Service(permissions: Permissions, refused: (action: string) => boolean, sessions: Sessions): Handler {
  const { told } = permissions
  const objects = s3Objects(permissions)
  return (request) => {
    if (!isSigned(request)) return failure(403, 'AccessDenied', 'Access Denied')
    const bucket = decodeURIComponent(request.path.split('/')[1] ?? '')
    const session = sessions.get(accessKeyOf(request) ?? '')
    if (session !== undefined) return objects(request, bucket, session)
    const [query] = Object.keys(looks).filter((one) => request.query.has(one))
    const look = query === undefined ? undefined : looks[query]
    if (request.method !== 'GET' || look === undefined)
      return failure(
        501,
        'NotImplemented',
        'A header or query you provided implies functionality that is not implemented.',
      )
    const value = refused(look.action) ? undefined : told(look.question(bucket))
    if (value !== undefined) return look.write(value)
    const resource = textAt({ bucket }, 'bucket') ?? ''
    return failure(
      403,
      'AccessDenied',
      `Access Denied: ${look.action} on ${/^[\w.-]*$/.test(resource) ? resource : 'a bucket'}`,
    )
  }
}
