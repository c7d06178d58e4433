/** Whether S3 actions in a role's policies stand on resources that they act on. */

import { like } from './aws-trust-patterns.ts'
import { entries, isObject, member, scalarText, statementsOf } from './aws-trust-shapes.ts'

export type BucketFault =
  | {
      readonly message: 'object-actions-on-bucket-arn' | 'bucket-actions-on-object-arn'
      readonly policy: string
      readonly path: string
      readonly actions: readonly string[]
      readonly resource: string
      readonly expected: string
    }
  | { readonly message: 'list-all-my-buckets'; readonly policy: string; readonly path: string }

type Grant = {
  readonly policy: string
  readonly path: string
  readonly actions: readonly string[]
  readonly resources: readonly string[]
}

const texts = (value: unknown): readonly string[] =>
  value === undefined ? [] : entries(value, '').flatMap(({ raw }) => scalarText(raw) ?? [])

/** https://docs.aws.amazon.com/service-authorization/latest/reference/list_amazons3.html */
const ofBucket: ReadonlySet<string> = new Set([
  's3:listbucket',
  's3:getbucketlocation',
  's3:listbucketmultipartuploads',
  's3:listbucketversions',
])
const isOfObject = (action: string): boolean =>
  /^s3:(?:(?:get|put|delete)object|abortmultipartupload$|listmultipartuploadparts$)/.test(action)

/** What stands for all that a wildcard means, of the one kind and of the other. */
const commonly = {
  objects: ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'],
  buckets: ['s3:ListBucket'],
} as const

const bucketOf = (resource: string): string | undefined => /^arn:[^:]*:s3:::[^/*?]+$/.exec(resource)?.[0]
const bucketOfObject = (resource: string): string | undefined => /^(arn:[^:]*:s3:::[^/*?]+)\/./.exec(resource)?.[1]

/** Statements that allow something of S3, and what is wrong with them, the first kind first. */
export function bucketShapes(policies: readonly { readonly name: string; readonly policy: unknown }[]): {
  readonly grants: readonly Grant[]
  readonly faults: readonly BucketFault[]
} {
  const grants = policies.flatMap(({ name, policy }) =>
    statementsOf(policy).found.flatMap(({ raw, path }): readonly Grant[] => {
      if (!isObject(raw) || scalarText(member(raw, 'Effect')) !== 'Allow') return []
      const actions = texts(member(raw, 'Action')).filter((action) => /^(?:s3:|\*$)/i.test(action))
      return actions.length === 0 ? [] : [{ policy: name, path, actions, resources: texts(member(raw, 'Resource')) }]
    }),
  )
  const covered = (action: string, fits: (resource: string) => boolean): boolean =>
    grants.some(
      ({ actions, resources }) =>
        actions.some((one) => like(one.toLowerCase(), action.toLowerCase())) && resources.some(fits),
    )
  /** A wildcard is lost only where nothing of the kind stands on a fitting resource: more may not be meant. */
  const isLost = (
    action: string,
    isOfKind: (action: string) => boolean,
    common: readonly string[],
    fits: (resource: string) => boolean,
  ): boolean => {
    if (!/[*?]/.test(action)) return isOfKind(action.toLowerCase()) && !covered(action, fits)
    return (
      common.some((one) => like(action.toLowerCase(), one.toLowerCase())) && !common.some((one) => covered(one, fits))
    )
  }
  const wrong = ({ policy, path, actions, resources }: Grant): readonly BucketFault[] =>
    resources.flatMap((resource): readonly BucketFault[] => {
      const bucket = bucketOf(resource)
      if (bucket !== undefined) {
        const fits = (one: string): boolean => one.startsWith(`${bucket}/`) || like(one, `${bucket}/x`)
        const lost = actions.filter((one) => isLost(one, isOfObject, commonly.objects, fits))
        return lost.length === 0
          ? []
          : [
              {
                message: 'object-actions-on-bucket-arn',
                policy,
                path,
                actions: lost,
                resource,
                expected: `${bucket}/*`,
              },
            ]
      }
      const owner = bucketOfObject(resource)
      if (owner === undefined) return []
      const lost = actions.filter((one) =>
        isLost(
          one,
          (action) => ofBucket.has(action),
          commonly.buckets,
          (other) => like(other, owner),
        ),
      )
      return lost.length === 0
        ? []
        : [{ message: 'bucket-actions-on-object-arn', policy, path, actions: lost, resource, expected: owner }]
    })
  const faults = grants.flatMap(wrong)
  const [only] = grants
  const namesOnly = grants.every(({ actions }) => actions.every((one) => one.toLowerCase() === 's3:listallmybuckets'))
  const lists: readonly BucketFault[] =
    only !== undefined && namesOnly ? [{ message: 'list-all-my-buckets', policy: only.policy, path: only.path }] : []
  return {
    grants,
    faults: [
      ...faults.filter(({ message }) => message === 'object-actions-on-bucket-arn'),
      ...faults.filter(({ message }) => message === 'bucket-actions-on-object-arn'),
      ...lists,
    ],
  }
}
