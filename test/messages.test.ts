/** The tables of protobuf fields against the picks: a member that a pick looks for must have a number, or it is never seen live. */
import { expect, it } from 'vitest'
import type { Json, JsonObject } from '../src/core/json.ts'
import { pickObject } from '../src/domain/kubernetes-objects.ts'
import { type Field, type Fields, messagesOf } from '../src/sources/live/kubernetes-messages.ts'

/** What picks look for although no API server sends it: the type stands around the list, the rest is what `collect` has written. */
const notSent: ReadonlySet<string> = new Set([
  ...['kind', 'apiVersion', 'metadata.managedFields.annotations'],
  // Only an ephemeral container has a target.
  ...['spec.containers.targetContainerName', 'spec.initContainers.targetContainerName'],
  // What a pick has made of a container stands there when it is picked again.
  ...['containers', 'initContainers', 'ephemeralContainers'].flatMap((list) =>
    ['env.hidden', 'devices', 'mounters', 'tokenPaths', 'asksMetadata'].map((name) => `spec.${list}.${name}`),
  ),
])

const membersOf = (fields: Fields): readonly Field[] =>
  fields.flatMap((field) => (field === undefined ? [] : field.kind === 'inline' ? membersOf(field.fields) : [field]))

/** An object that has every member of the table, mounts by itself, and notes what else it is asked for. */
function watched(fields: Fields, path: string, missed: Set<string>, reason: string): JsonObject {
  const members = Object.fromEntries(
    membersOf(fields).map((field) => {
      const value = exampleOf(field, `${path}${field.name}`, missed, reason)
      return [field.name, field.list === true ? [value] : value]
    }),
  )
  return new Proxy(members, {
    get: (target, name) => {
      if (typeof name !== 'string' || name === 'toJSON') return undefined
      if (!Object.hasOwn(target, name)) missed.add(`${path}${name}`)
      return target[name]
    },
  })
}

function exampleOf(field: Field, path: string, missed: Set<string>, reason: string): Json {
  if (field.kind === 'message') return watched(field.fields, `${path}.`, missed, reason)
  if (field.kind === 'text' || field.kind === 'time') return field.name === 'reason' ? reason : 's3fs'
  return field.kind === 'flag' ? true : field.kind === 'number' ? 1 : {}
}

/** Asked of every type of volume and reference alike, though each has only some of them. */
const alike = /^spec\.(volumes\.\w+\.|volumes\.projected\.sources\.|\w+ontainers\.env(From)?\.)/

for (const [resource, { kind, fields }] of Object.entries(messagesOf))
  it(`all that is picked of ${resource} has a number`, () => {
    const missed = new Set<string>()
    // Of a pod whose container was killed for memory something else is kept than of others.
    for (const reason of ['OOMKilled', 'Completed'])
      pickObject(watched(fields, '', missed, reason), { apiVersion: 'v1', kind })
    expect([...missed].filter((name) => !notSent.has(name) && !alike.test(name))).toEqual([])
  })
