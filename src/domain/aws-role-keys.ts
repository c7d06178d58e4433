/** Annotation keys by which people mean to give a ServiceAccount an AWS role, and which of them anybody reads. */
import { parseRoleArn } from './arn.ts'
import { roleAnnotation } from './audiences.ts'
import { editDistance } from './edit-distance.ts'
import type { Texts } from './workloads.ts'

const otherTools: { readonly [key: string]: string } = {
  'iam.amazonaws.com/role': 'kube2iam or kiam',
  'iam.amazonaws.com/permitted': 'kiam',
  'iam.amazonaws.com/allowed-roles': 'kube2iam',
}

/** A key that looks meant and that the webhook does not read. */
export type ForeignKey =
  | { readonly kind: 'misspelt'; readonly key: string; readonly value: string }
  | { readonly kind: 'other-tool'; readonly key: string; readonly value: string; readonly tool: string }

/** Other keys of the webhook, which are near each other and spelt right. */
const own: ReadonlySet<string> = new Set([
  roleAnnotation,
  'eks.amazonaws.com/audience',
  'eks.amazonaws.com/sts-regional-endpoints',
  'eks.amazonaws.com/token-expiration',
  'eks.amazonaws.com/skip-containers',
])

/** Whether a key is nearly the one that the webhook reads: not a word of its own, and not one of its other keys. */
export const isNearRoleKey = (key: string): boolean =>
  !own.has(key) && otherTools[key] === undefined && editDistance(key.toLowerCase(), roleAnnotation, 4) <= 4

const isRoleArn = (value: string): boolean => parseRoleArn(value.trim().replace(/^["']|["']$/g, '')) !== undefined

/** The first key that is nearly the right one, or under which a role ARN stands; then one of another tool. */
export function foreignKey(annotations: Texts): ForeignKey | undefined {
  const keys = Object.keys(annotations).sort()
  const near = keys.find((key) => {
    if (own.has(key) || otherTools[key] !== undefined) return false
    return isNearRoleKey(key) || isRoleArn(annotations[key] ?? '')
  })
  if (near !== undefined) return { kind: 'misspelt', key: near, value: annotations[near] ?? '' }
  for (const key of keys) {
    const tool = otherTools[key]
    if (tool !== undefined) return { kind: 'other-tool', key, value: annotations[key] ?? '', tool }
  }
  return undefined
}

/** The tool that reads a role from a pod's own annotations, where they name one. */
export function toolOfPod(annotations: Texts): string | undefined {
  const key = Object.keys(otherTools).find((one) => annotations[one] !== undefined)
  return key === undefined ? undefined : otherTools[key]
}
