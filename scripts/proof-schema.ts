/** What exchange-test prints as a zod schema, from which schemas/exchange-test-v1.schema.json is made. */
import { z } from 'zod'

const text = z.string()
const named = z.array(z.tuple([text, text]))

const step = z.strictObject({
  id: text.describe('identity, token, claims, signature, exchange, who-am-i, s3-list, fuse-device, mounts, …'),
  title: text,
  milliseconds: z.number().int().min(0),
  status: z
    .enum(['pass', 'fail', 'unknown', 'blocked'])
    .describe('blocked: it waits for a step that has not passed; unknown: it could not be looked at'),
  says: text.describe('One sentence'),
  details: named.optional().describe('Names and values; of a token claims alone'),
  answer: z
    .strictObject({ code: text, message: text, status: z.number().int().optional(), endpoint: text.optional() })
    .optional()
    .describe('What the other side said in refusing, in its own words'),
  causes: z
    .array(z.strictObject({ check: text.describe('aws/role-exists'), says: text }))
    .optional()
    .describe('What may be the reason, most likely first, and the check that decides it'),
  lift: text.optional().describe('What would let us see what was not seen'),
})

const proof = z.strictObject({
  cloud: text.describe('aws, gcp, azure; pod for the container itself; kubernetes where no cloud is named'),
  mechanism: text.describe(
    'web identity, EKS Pod Identity, …; none: nothing was given; mounting: what the container can mount',
  ),
  expected: text.optional().describe('Who it should be'),
  steps: z.array(step),
})

export const proofSchema = z
  .strictObject({
    schema: z.literal('kubectl-wi/exchange-test/v1'),
    tool: z.strictObject({ name: z.literal('kubectl-wi'), version: text }),
    subject: text.describe('This pod, a ServiceAccount, a pod'),
    proofs: z.array(proof),
    lookedFor: z
      .array(z.tuple([text, z.array(text)]))
      .describe('With no identity found: what was looked for, cloud by cloud'),
    verdict: z.enum(['proven', 'refuted', 'inconclusive']),
  })
  .describe('What `kubectl wi exchange-test -o json` prints')

/** The JSON Schema as it is published. */
export const proofJsonSchema = (): string =>
  `${JSON.stringify({ $id: 'urn:kubectl-wi:exchange-test:v1', title: 'kubectl wi exchange-test, version 1', ...z.toJSONSchema(proofSchema) }, null, 2)}\n`
