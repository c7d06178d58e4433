/** The Report as a zod schema, from which schemas/report-v1.schema.json is made. */
import { z } from 'zod'

const json: z.ZodType = z.json()
const text = z.string()
const strings = z.array(text)

const subject = z
  .strictObject({
    kind: text.describe('Cluster, Node, ServiceAccount, Pod, or the kind of another named object'),
    namespace: text.optional(),
    name: text,
    context: text.optional().describe('Only in a report of several clusters: the context of its cluster'),
  })
  .describe('What was judged')

const question = z
  .strictObject({
    system: text.describe('kubernetes, oidc, aws, …'),
    call: text.describe('The permission that the question needs: iam:GetRole, pods/get, …'),
    input: z.record(text, json),
  })
  .describe('What was asked')

const evidence = z.strictObject({
  question,
  path: text.describe('Where in the answer'),
  observed: json,
  expected: json.optional(),
  words: z
    .strictObject({ observed: text, expected: text })
    .optional()
    .describe('What the two sides are called: the policy "wants", the token "presents"'),
})

const lack = z.strictObject({
  what: text,
  why: z.enum([
    'forbidden',
    'unauthenticated',
    'unreachable',
    'timeout',
    'throttled',
    'not-collected',
    'not-asked',
    'malformed',
    'cancelled',
    'undecided',
  ]),
  detail: text,
  lift: text.optional().describe('The permission, flag or document that would let us see it'),
})

const status = z.enum(['pass', 'fail', 'not-applicable', 'blocked', 'unknown', 'crashed'])

const finding = z
  .strictObject({
    check: text.regex(/^[^/]+\/.+$/).describe('Public and permanent: aws/role-exists'),
    subject,
    status,
    severity: z.enum(['error', 'warning', 'info']),
    title: text.describe('The good state'),
    section: text,
    message: text,
    messageId: text.optional().describe('Only of a fail: which of the things that the check can find'),
    data: z
      .record(text, z.union([text, z.number()]))
      .optional()
      .describe('What the message is filled with'),
    blockedBy: strings.optional().describe('The checks that have to hold first'),
    lacks: z.array(lack).optional().describe('Only of an unknown: what was not seen'),
    evidence: z.array(evidence),
    why: text,
    fix: z
      .strictObject({ safety: z.enum(['safe', 'review', 'manual']), does: text })
      .optional()
      .describe('What puts the check right in general, and how safe that is'),
    remedy: z
      .strictObject({ words: text, path: text.optional(), from: text.optional(), to: text.optional() })
      .optional()
      .describe(
        'Only of a fail: what puts this one right, in words and below them a command on each line; where it is one element of a document, from what to what',
      ),
    links: z.array(text).min(1),
    accepted: z
      .strictObject({ by: z.enum(['annotation', 'baseline']), reason: text, until: text.optional() })
      .optional()
      .describe('Somebody lives with it: listed and counted, and left out of the verdict'),
  })
  .describe("One check's word on one subject")

const number = z.number().int().min(0)

export const reportSchema = z
  .strictObject({
    schema: z.literal('kubectl-wi/report/v1'),
    tool: z.strictObject({ name: z.literal('kubectl-wi'), version: text }),
    source: text.describe('Where the facts came from'),
    verdict: z.enum(['healthy', 'unhealthy', 'inconclusive']),
    totals: z.strictObject({
      pass: number,
      fail: number,
      'not-applicable': number,
      blocked: number,
      unknown: number,
      crashed: number,
    }),
    identities: z
      .array(z.strictObject({ subject, identity: text, place: text.optional() }))
      .describe('Who was examined, and the cloud identity that it names'),
    findings: z.array(finding).describe('Blockers first, then by id; the cluster first, then by name'),
    plan: z.null().describe('No plan was asked for'),
    notRecognised: strings.describe('Documents that no rule recognised'),
    notes: strings.describe('What else went wrong on the way, in words'),
  })
  .describe('What `kubectl wi doctor -o json` prints')

/** The JSON Schema as it is published. */
export const reportJsonSchema = (): string =>
  `${JSON.stringify({ $id: 'urn:kubectl-wi:report:v1', title: 'kubectl wi report, version 1', ...z.toJSONSchema(reportSchema) }, null, 2)}\n`
