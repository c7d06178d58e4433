/** What the lane's own API server was asked, by its audit log. */
import { readFile } from 'node:fs/promises'
import { type Json, textAt } from '../../src/core/json.ts'
import type { Lane } from './lane.ts'

export type Asked = {
  /** get, list, create, … */
  readonly verb: string
  /** Plural with its sub-resource, as in a rule; undefined for a path that is no resource. */
  readonly resource?: string
  readonly group: string
  readonly namespace?: string
  readonly path: string
  readonly user: string
}

/** Requests of `kubectl-wi` whose path contains `about`, in order. */
export async function askedByDoctor(lane: Lane, about = ''): Promise<readonly Asked[]> {
  const file = lane.cluster?.auditLog
  if (file === undefined) throw new Error('only the lane of an own API server has an audit log')
  const lines = (await readFile(file, 'utf8')).trimEnd().split('\n')
  return lines.flatMap((line) => {
    const event: Json = JSON.parse(line)
    const path = textAt(event, 'requestURI') ?? ''
    if (!textAt(event, 'userAgent')?.startsWith('kubectl-wi') || !path.includes(about)) return []
    const [resource, part] = [textAt(event, 'objectRef', 'resource'), textAt(event, 'objectRef', 'subresource')]
    const namespace = textAt(event, 'objectRef', 'namespace')
    return [
      {
        verb: textAt(event, 'verb') ?? '',
        ...(resource === undefined ? {} : { resource: part === undefined ? resource : `${resource}/${part}` }),
        group: textAt(event, 'objectRef', 'apiGroup') ?? '',
        ...(namespace === undefined ? {} : { namespace }),
        path,
        user: textAt(event, 'impersonatedUser', 'username') ?? textAt(event, 'user', 'username') ?? '',
      },
    ]
  })
}
