/** What a Report of openreports.io/v1alpha1 and a PolicyReport of wgpolicyk8s.io/v1alpha2 may hold, after their CustomResourceDefinitions. */
import { z } from 'zod'

const text = z.string()
const label = z.string().regex(/^(?:[A-Za-z0-9](?:[-A-Za-z0-9_.]{0,61}[A-Za-z0-9])?)?$/u)
const dnsName = z
  .string()
  .max(253)
  .regex(/^[a-z0-9](?:[-a-z0-9.]*[a-z0-9])?$/u)

const reference = z.strictObject({
  apiVersion: text.optional(),
  kind: text.optional(),
  namespace: text.optional(),
  name: text.optional(),
  uid: text.optional(),
  resourceVersion: text.optional(),
  fieldPath: text.optional(),
})

const result = z.strictObject({
  source: text.optional(),
  policy: text,
  rule: text.optional(),
  category: text.optional(),
  severity: z.enum(['critical', 'high', 'low', 'medium', 'info']).optional(),
  result: z.enum(['pass', 'fail', 'warn', 'error', 'skip']).optional(),
  scored: z.boolean().optional(),
  message: text.optional(),
  resources: z.array(reference).optional(),
  properties: z.record(text, text).optional(),
  timestamp: z.strictObject({ seconds: z.int(), nanos: z.int() }).optional(),
})

const summary = z.strictObject({ pass: z.int(), fail: z.int(), warn: z.int(), error: z.int(), skip: z.int() }).partial()

const metadata = z.strictObject({
  name: dnsName,
  namespace: dnsName.optional(),
  labels: z.record(text, label).optional(),
  annotations: z.record(text, text).optional(),
})

const body = { metadata, scope: reference.optional(), summary: summary.optional(), results: z.array(result).optional() }

/** Stricter than an API server: that prunes a field which it does not know, and nobody sees that it is gone. */
export const openReport = z.strictObject({
  apiVersion: z.literal('openreports.io/v1alpha1'),
  kind: z.enum(['Report', 'ClusterReport']),
  source: text.optional(),
  ...body,
})

export const policyReport = z.strictObject({
  apiVersion: z.literal('wgpolicyk8s.io/v1alpha2'),
  kind: z.enum(['PolicyReport', 'ClusterPolicyReport']),
  ...body,
})
