/** The map of identities as a zod schema, from which schemas/map-v1.schema.json is made. */
import { z } from 'zod'
import { linkStates } from '../src/core/identity-map.ts'

const text = z.string()

const link = z
  .strictObject({
    state: z
      .enum(linkStates)
      .describe('bound: asks and is let through; may: is let through; refused, unseen, orphan, elsewhere'),
    context: text.optional().describe('Where several clusters are on the map'),
    namespace: text,
    name: text.describe('The ServiceAccount; * where only a pattern is known'),
    pods: z.number().int().min(0).optional().describe('Running as it; left out where that was not seen'),
    cloud: z.enum(['aws', 'azure', 'gcp']),
    identity: text.describe('An ARN, an e-mail, a client id'),
    via: z.enum(['irsa', 'pod-identity', 'workload-identity', 'federation']),
    trust: z.enum(['exact', 'wildcard', 'conditional', 'none', 'unseen']),
    pattern: text.optional(),
    issuer: text.optional().describe('Under which other issuer or pool it is trusted'),
  })
  .describe('A ServiceAccount and an identity')

const mapSchema = z
  .strictObject({
    schema: z.literal('kubectl-wi/map/v1'),
    source: text,
    links: z.array(link),
    remarks: z.array(text).describe('What the whole shows: one name in several clusters'),
    unseen: z.array(text).describe('What could not be seen, so that links may be missing'),
  })
  .describe('What `kubectl wi map -o json` prints')

/** The JSON Schema as it is published. */
export const mapJsonSchema = (): string =>
  `${JSON.stringify({ $id: 'urn:kubectl-wi:map:v1', title: 'kubectl wi map, version 1', ...z.toJSONSchema(mapSchema) }, null, 2)}\n`
