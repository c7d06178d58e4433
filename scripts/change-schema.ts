/** A line of `doctor --watch -o json` as a zod schema, from which schemas/change-v1.schema.json is made. */
import { z } from 'zod'

const text = z.string()
const head = {
  schema: z.literal('kubectl-wi/change/v1'),
  time: text.describe('When it was seen, as ISO 8601 text'),
}
const verdict = z.enum(['healthy', 'unhealthy', 'inconclusive'])
const state = z.strictObject({
  status: z.enum(['pass', 'fail', 'not-applicable', 'blocked', 'unknown', 'crashed']),
  message: text,
  messageId: text.optional(),
  accepted: z.literal(true).optional(),
})

const changeSchema = z
  .union([
    z.strictObject({
      ...head,
      check: text,
      subject: z.strictObject({ kind: text, namespace: text.optional(), name: text, context: text.optional() }),
      severity: z.enum(['error', 'warning', 'info']),
      before: state.optional().describe('Left out where nobody was judged before'),
      after: state.optional().describe('Left out where nobody is judged any more'),
    }),
    z.strictObject({ ...head, verdict, before: verdict.optional() }),
  ])
  .describe('One line of what `kubectl wi doctor --watch -o json` prints')

/** The JSON Schema as it is published. */
export const changeJsonSchema = (): string =>
  `${JSON.stringify({ $id: 'urn:kubectl-wi:change:v1', title: 'kubectl wi change, version 1', ...z.toJSONSchema(changeSchema) }, null, 2)}\n`
