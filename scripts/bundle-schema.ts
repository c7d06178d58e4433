/** The bundle.yaml that `collect` writes as a zod schema, from which schemas/bundle-v1alpha1.schema.json is made. */
import { z } from 'zod'

const text = z.string()
const json: z.ZodType = z.json()
const question = z.strictObject({ system: text, call: text, input: z.record(text, json) })

const answer = z.union([
  z.strictObject({ question, state: z.literal('known'), value: json }),
  z.strictObject({ question, state: z.literal('absent') }),
  z.strictObject({
    question,
    state: z.literal('unknown'),
    why: text.describe('forbidden, timeout, …'),
    detail: text,
    lift: text.optional().describe('The permission, flag or document that would let us see it'),
    firm: z.literal(true).optional().describe('It stands although a document of the bundle seems to answer'),
  }),
])

const bundleSchema = z
  .strictObject({
    apiVersion: z.literal('kubectl-wi/v1alpha1'),
    kind: z.literal('Bundle'),
    time: text.describe('When it was collected, as ISO 8601 text; a replay judges by this time'),
    tool: z.strictObject({ name: z.literal('kubectl-wi'), version: text }),
    source: text.describe('Where the answers came from'),
    run: z
      .strictObject({
        targets: z.array(text),
        allNamespaces: z.literal(true).optional(),
        namespace: text.optional(),
        selector: text.optional(),
        check: z.array(text).optional(),
        cloud: text.optional(),
      })
      .describe('Who was examined and by what; a replay examines the same'),
    answers: z.array(answer).describe('What the documents beside it do not say'),
  })
  .describe('What `kubectl wi collect` writes into bundle.yaml')

/** The JSON Schema as it is published. */
export const bundleJsonSchema = (): string =>
  `${JSON.stringify({ $id: 'urn:kubectl-wi:bundle:v1alpha1', title: 'kubectl wi bundle, version 1alpha1', ...z.toJSONSchema(bundleSchema) }, null, 2)}\n`
