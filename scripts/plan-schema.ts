/** The plan as a zod schema, from which schemas/plan-v1.schema.json is made. */
import { z } from 'zod'

const json: z.ZodType = z.json()
const text = z.string()
const strings = z.array(text)

const call = z.strictObject({
  system: text.describe('kubernetes, aws, …'),
  call: text.describe('The permission that it needs: serviceaccounts/patch, iam:UpdateAssumeRolePolicy, …'),
  input: z.record(text, json),
})

const reason = z.strictObject({
  check: text.regex(/^[^/]+\/.+$/).describe('Public and permanent: aws/role-exists'),
  subject: z.strictObject({
    kind: text,
    namespace: text.optional(),
    name: text,
    of: strings.optional().describe('Keys of the subjects that it belongs to'),
    standsFor: strings.optional().describe('What it answers for because nobody finer was seen'),
    whole: z.literal(true).optional(),
  }),
  messageId: text,
  message: text,
  data: z.record(text, z.union([text, z.number()])).optional(),
})

const effect = z.strictObject({
  question: call.describe('In whose answer it shows'),
  path: z
    .array(z.union([text, z.number()]))
    .describe('Where in the answer; empty: all of it; - at the end: in that list'),
  before: json.optional().describe('Left out: nothing there'),
  after: json.optional().describe('Left out: nothing there'),
})

const action = z.strictObject({
  summary: text.describe('In the imperative'),
  safety: z.enum(['safe', 'review']).describe('What needs a review is asked about before it is done'),
  change: call.describe('The one write'),
  effects: z.array(effect).min(1).describe('What it changes in what is seen; the first is the change itself'),
  undo: call.nullable().describe('What takes it back; null where nothing does, or need'),
  owner: z
    .strictObject({ tool: text, mark: text, where: text })
    .optional()
    .describe('Who would put the old value back, and where the change belongs'),
  for: z.array(reason).describe('The findings that it puts right'),
  round: z.number().int().min(1).describe('Actions of a round build on those of the rounds before'),
  command: text.optional().describe('The same as a person would type it'),
  undoCommand: text.optional(),
  document: z.record(text, json).describe('The same as a repository would hold it'),
})

const verdict = z.enum(['healthy', 'unhealthy', 'inconclusive'])

export const planSchema = z
  .strictObject({
    schema: z.literal('kubectl-wi/plan/v1'),
    tool: z.strictObject({ name: z.literal('kubectl-wi'), version: text }),
    source: text.describe('Where the facts came from'),
    before: verdict.describe('As it is'),
    rehearsed: verdict.describe('As it would be; what only an act can prove is left out of it'),
    actions: z.array(action).describe('In the order in which they are carried out'),
    manual: z.array(reason.extend({ words: text })).describe('What only a person can do'),
    leaves: z.array(reason.extend({ why: text })).describe('What nothing can be proposed for, and why'),
    remains: z.array(reason).describe('What would fail after the plan'),
    notes: strings,
  })
  .describe('What `kubectl wi fix -o json` prints')

/** The JSON Schema as it is published. */
export const planJsonSchema = (): string =>
  `${JSON.stringify({ $id: 'urn:kubectl-wi:plan:v1', title: 'kubectl wi plan, version 1', ...z.toJSONSchema(planSchema) }, null, 2)}\n`
