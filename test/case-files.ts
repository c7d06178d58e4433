/** Cases: folders of documents, or single files, with the findings that are expected of them. */
import { readdirSync, readFileSync, statSync } from 'node:fs'
import { basename, dirname, join, relative } from 'node:path'
import { parse } from 'yaml'
import { z } from 'zod'
import type { Subject } from '../src/core/subject.ts'

const expectation = z.strictObject({
  source: z.string(),
  story: z.string(),
  subject: z.strictObject({ kind: z.string(), namespace: z.string().optional(), name: z.string() }),
  finds: z.array(z.record(z.string(), z.string())),
  passes: z.array(z.string()).default([]),
  never: z.array(z.string()).default([]),
  open: z.array(z.string()).default([]),
  plan: z.array(z.string()).optional(),
  rehearsed: z.enum(['healthy', 'unhealthy', 'inconclusive']).optional(),
  owner: z.string().optional(),
})

export type Case = {
  /** Path below test/fixtures. */
  readonly name: string
  /** Where it was met, or `constructed`. */
  readonly source: string
  readonly story: string
  /** What is handed to `-f`. */
  readonly path: string
  readonly subject: Subject
  readonly finds: readonly { readonly check: string; readonly message: string }[]
  readonly passes: readonly string[]
  readonly never: readonly string[]
  /** Checks that the folder must leave undecided: neither passed nor failed. */
  readonly open: readonly string[]
  /** Summaries, or calls, of the actions that put its subject right, in order; an empty list where nothing may be proposed. */
  readonly plan?: readonly string[] | undefined
  /** The verdict after the plan. */
  readonly rehearsed?: 'healthy' | 'unhealthy' | 'inconclusive' | undefined
  /** The tool that would put the old value of the first action back. */
  readonly owner?: string | undefined
}

export const fixtures = join(import.meta.dirname, 'fixtures')

function* files(folder: string): Generator<string> {
  for (const name of readdirSync(folder).sort()) {
    const path = join(folder, name)
    if (statSync(path).isDirectory()) yield* files(path)
    else yield path
  }
}

/** The expectation at the head of a file. A case that does not keep to the form is an error of the case. */
function readCase(file: string): Case {
  const text = readFileSync(file, 'utf8')
  const single = file.endsWith('.case.yaml')
  // The documents behind the head are read when the case is: a dozen test files want the list of all.
  const end = single ? text.indexOf('\n---') : -1
  const head: unknown = parse(end < 0 ? text : text.slice(0, end))
  const read = expectation.safeParse(head)
  const path = single ? file : dirname(file)
  if (!read.success) throw new Error(`${relative(fixtures, file)}: ${z.prettifyError(read.error)}`)
  const { source, story, subject, finds, passes, never, open, plan, rehearsed, owner } = read.data
  const { namespace, ...rest } = subject
  return {
    name: relative(fixtures, path),
    source,
    story,
    path,
    subject: namespace === undefined ? rest : { ...rest, namespace },
    finds: finds.flatMap((one) => Object.entries(one).map(([check, message]) => ({ check, message }))),
    passes,
    never,
    open,
    plan,
    rehearsed,
    owner,
  }
}

/** Every case of the project, in the order of their paths. */
export const cases: readonly Case[] = [...files(fixtures)]
  .filter((file) => basename(file) === 'expect.yaml' || file.endsWith('.case.yaml'))
  .map(readCase)

const words: { readonly [kind: string]: string } = { ServiceAccount: 'sa', Pod: 'pod', Node: 'node' }

/** The target that a person would name for this subject; none for the cluster and for objects that are no target. */
export const targetOf = ({ kind, name }: Subject): string | undefined =>
  words[kind] === undefined ? undefined : `${words[kind]}/${name}`
