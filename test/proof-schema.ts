/** Whether what exchange-test prints as JSON fits the schema that is published for it. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { Ajv2020 } from 'ajv/dist/2020.js'
import { expect } from 'vitest'

const file = path.join(import.meta.dirname, '..', 'schemas', 'exchange-test-v1.schema.json')
const schema = new Ajv2020({ strict: true, allowUnionTypes: true }).compile(JSON.parse(readFileSync(file, 'utf8')))

/** Texts that are not JSON are for a person. */
export function fitsSchema(out: string): void {
  if (out.startsWith('{')) expect(schema(JSON.parse(out)), JSON.stringify(schema.errors)).toBe(true)
}
