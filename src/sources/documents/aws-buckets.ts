/** Recognises what the aws command line prints about a bucket; the name of the file is that of the bucket. */
import type { Fact, Question } from '../../core/fact.ts'
import { isList, isObject, type Json, textAt } from '../../core/json.ts'
import { type Recogniser, told } from './document.ts'

const shapes: readonly { readonly call: string; readonly member: string; readonly inside: string }[] = [
  { call: 's3:GetBucketPublicAccessBlock', member: 'PublicAccessBlockConfiguration', inside: '' },
  { call: 's3:GetBucketOwnershipControls', member: 'OwnershipControls', inside: 'Rules' },
  { call: 's3:GetEncryptionConfiguration', member: 'ServerSideEncryptionConfiguration', inside: 'Rules' },
]
const ofAccount = 's3:GetAccountPublicAccessBlock'

/** `get-bucket-policy` prints the policy as text in JSON. */
function policyIn(value: Json | undefined): Json | undefined {
  if (typeof value !== 'string') return isObject(value) ? value : undefined
  try {
    const policy: Json = JSON.parse(value)
    return isObject(policy) ? policy : undefined
  } catch {
    return undefined
  }
}

export function awsBuckets(): Recogniser {
  /** call → bucket → answer */
  const seen = new Map<string, Map<string, Json>>()
  const put = (call: string, bucket: string, answer: Json): true => {
    const shelf = seen.get(call) ?? new Map<string, Json>()
    shelf.set(bucket, answer)
    seen.set(call, shelf)
    return true
  }
  return {
    take: ({ value, stem }) => {
      if (!isObject(value)) return false
      for (const { call, member, inside } of shapes) {
        const found = value[member]
        if (!isObject(found) || (inside !== '' && !isList(found[inside]))) continue
        // A file that is called after an account is that of all its buckets.
        const account = member === 'PublicAccessBlockConfiguration' && /^\d{12}(?!\d)/.test(stem)
        return put(account ? ofAccount : call, stem, { [member]: found })
      }
      const policy = Object.keys(value).length <= 2 ? policyIn(value.Policy) : undefined
      if (!isObject(policy) || policy.Statement === undefined || !/"s3:/i.test(JSON.stringify(policy))) return false
      return put('s3:GetBucketPolicy', stem, { Policy: policy })
    },
    answer: (question: Question): Fact<Json> | undefined => {
      const shelf = seen.get(question.call)
      if (shelf === undefined) return undefined
      const bucket = textAt(question.input, 'Bucket')
      const [only] = shelf.values()
      // Where there is one, it was put there for the bucket that the others speak of.
      const found = (bucket === undefined ? undefined : shelf.get(bucket)) ?? (shelf.size === 1 ? only : undefined)
      return found === undefined ? undefined : told(found, question)
    },
  }
}
