/** The bucket that a refusal is about: its policy, and the key that locks its objects. Asked only where a text makes them matter. */
import { absent, defineProbe, type Fact, onward, reading, type Soon } from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import { like } from '../../domain/aws-trust-patterns.ts'
import { entries, isObject, member, scalarText, statementsOf } from '../../domain/aws-trust-shapes.ts'
import { aws, seen } from '../../domain/questions.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { callRefused } from './refused.ts'
import { roleReference } from './role-reference.ts'

export const ofKms = /The ciphertext refers to a customer master key that does not exist|Access to KMS is not allowed/
export const keyArn = /arn:[\w-]{3,20}:kms:[\w-]{1,30}:\d{12}:key\/[\w-]{1,64}/

const texts = (value: unknown): readonly string[] =>
  value === undefined ? [] : entries(value, '').flatMap(({ raw }) => scalarText(raw) ?? [])

export type Admission = { readonly admits: boolean; readonly principals: readonly string[] }

/** Whether a statement of a bucket's policy allows this action to this role, as far as principal and action tell. */
function admission(
  policy: Json,
  who: { readonly role: string; readonly account: string; readonly action: string },
): Admission {
  const principals: string[] = []
  let admits = false
  for (const { raw } of statementsOf(policy).found) {
    if (!isObject(raw) || scalarText(member(raw, 'Effect')) !== 'Allow') continue
    const principal = member(raw, 'Principal')
    const named =
      typeof principal === 'string' ? [principal] : texts(isObject(principal) ? member(principal, 'AWS') : undefined)
    principals.push(...named)
    const meant = named.some(
      (one) => one === '*' || one === who.account || one === who.role || one.endsWith(`:iam::${who.account}:root`),
    )
    const actions = texts(member(raw, 'Action'))
    if (meant && actions.some((one) => like(one.toLowerCase(), who.action.toLowerCase()))) admits = true
  }
  return { admits, principals: [...new Set(principals)].slice(0, 20) }
}

/** Absent unless a bucket's own policy was the reason of a refusal. */
export const bucketAdmission = defineProbe({
  id: 'aws/bucket-admission',
  about: 'whom the policy of the refused bucket lets in',
  scope: 'service-account',
  needs: {},
  wants: { callRefused, roleReference },
  ask: (_have, { callRefused, roleReference }, inquiry): Soon<Fact<Admission>> => {
    const refused = callRefused.state === 'known' ? callRefused.value : undefined
    const bucket = /^arn:[^:]*:s3:::([^/*?]+)/.exec(refused?.resource ?? '')?.[1]
    const caller = refused?.caller
    if (refused?.lacking !== 'resource-based' || bucket === undefined || caller === undefined)
      return absent(seen.errors())
    const own = roleReference.state === 'known' ? roleReference.value.arn : undefined
    const role =
      roleReference.state === 'known' && own?.name === caller.name
        ? roleReference.value.value
        : `arn:${refused.who.split(':')[1] ?? 'aws'}:iam::${caller.account}:role/${caller.name}`
    return onward(inquiry.ask(aws.bucketPolicy(bucket)), (answer) =>
      reading(answer, (json) => {
        const policy = at(json, 'Policy')
        return policy === undefined
          ? undefined
          : admission(policy, { role, account: caller.account, action: refused.action })
      }),
    )
  },
})

/** The key that S3 locks new objects of the bucket with; absent unless KMS refused and no text names the key. */
export const bucketKey = defineProbe({
  id: 'aws/bucket-key',
  about: 'the key of the refused bucket',
  scope: 'service-account',
  needs: {},
  wants: { errorsOfServiceAccount },
  ask: (_have, { errorsOfServiceAccount }, inquiry): Soon<Fact<string>> => {
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const locked = errors.find(({ text }) => ofKms.test(text))
    const bucket = /(?:s3:\/\/|arn:[\w-]{3,20}:s3:::)([a-z0-9][a-z0-9.-]{2,62})/.exec(locked?.text ?? '')?.[1]
    if (locked === undefined || bucket === undefined || keyArn.test(locked.text)) return absent(seen.errors())
    const question = aws.bucketEncryption(bucket)
    return onward(inquiry.ask(question), (answer): Fact<string> => {
      if (answer.state !== 'known') return answer
      const [rule] = listAt(answer.value, 'ServerSideEncryptionConfiguration', 'Rules')
      const key = textAt(rule, 'ApplyServerSideEncryptionByDefault', 'KMSMasterKeyID')
      return key === undefined ? absent(question) : { state: 'known', value: key, from: question }
    })
  },
})
