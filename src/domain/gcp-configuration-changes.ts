/** One member of a credential configuration in its ConfigMap, changed within the text that stands there. */
import { edited } from '../core/edit.ts'
import { at, type Json } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import type { Configuration } from './gcp-credentials.ts'
import { patchObject } from './kubernetes-changes.ts'

type Path = readonly [string, ...string[]]

/** As gcloud writes it. */
const written = (body: Json): string => JSON.stringify(body, null, 2)

const shown = (value: Json | undefined): string => (typeof value === 'string' ? value : JSON.stringify(value ?? null))

/**
 * The change of the member at this path, as `next` makes it of what is there; undefined for a file, for a configuration of which only a
 * part was seen, and where nothing would change.
 */
export function rewritten(
  configuration: Configuration | undefined,
  path: Path,
  next: (before: Json | undefined) => Json,
): readonly Action[] | undefined {
  const { namespace, key, text, body, name } = configuration ?? {}
  if (namespace === undefined || key === undefined || text === undefined || body === undefined || name === undefined)
    return undefined
  const after = next(at(body, ...path))
  const anew = written(edited(body, path, after) ?? body)
  const end = text.endsWith('\n') ? '\n' : ''
  if (anew + end === text) return undefined
  const place = { resource: 'configmaps', namespace, name }
  return [
    {
      summary: `Write ${path.join('.')} of ${key} in ConfigMap ${name} of namespace ${namespace} as ${shown(after)}`,
      safety: 'review',
      ...patchObject(place, [{ path: ['data', key], before: text, after: anew + end }]),
    },
  ]
}
