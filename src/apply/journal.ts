/** The journal: what a run is about to do and has done, written and synced before and after each action, so that a killed run can be told and taken back. */
import { randomBytes } from 'node:crypto'
import { chmodSync, closeSync, fsyncSync, openSync, readdirSync, readFileSync, statSync, writeSync } from 'node:fs'
import { homedir } from 'node:os'
import path from 'node:path'
import { canonical, isObject, type Json, type JsonObject, textAt } from '../core/json.ts'
import type { Change } from '../core/plan.ts'
import { makeFolder } from './folder.ts'

export type Head = {
  readonly run: string
  readonly at: string
  readonly version: string
  readonly server: string
  readonly context: string
  readonly user: string
}

/** `begun`: about to be done; `undo` is what takes it back if it was. The numbers are those of the plan, from 1. */
export type Entry =
  | {
      readonly step: number
      readonly state: 'begun'
      readonly at: string
      readonly summary: string
      readonly change: Change
      readonly undo: Change | null
    }
  | { readonly step: number; readonly state: 'done'; readonly at: string; readonly undo: Change | null }
  | { readonly step: number; readonly state: 'failed'; readonly at: string; readonly why: string }
  | { readonly step: number; readonly state: 'undoing' | 'undone'; readonly at: string }

export type Journal = {
  readonly run: string
  readonly file: string
  readonly write: (entry: Entry) => void
  /** Whether anything has been written. */
  readonly begun: () => boolean
  readonly close: () => void
}
export type Record = { readonly head: Head; readonly file: string; readonly entries: readonly Entry[] }

/** Takes out whatever looks like a secret. */
type Clean = (value: Json) => Json

const mostBytes = 16 << 20

/** `$XDG_STATE_HOME/kubectl-wi`, or what stands in its place: https://specifications.freedesktop.org/basedir-spec/latest/ */
export function journalFolder(env: NodeJS.ProcessEnv): string {
  const state = env.XDG_STATE_HOME
  const home =
    state !== undefined && path.isAbsolute(state) ? state : path.join(env.HOME || homedir(), '.local', 'state')
  return path.join(home, 'kubectl-wi')
}

/** A line stands whole on the disk, or the run goes no further. */
function appendLine(file: number, line: Json): void {
  const bytes = Buffer.from(`${JSON.stringify(line)}\n`)
  for (let from = 0; from < bytes.length; ) from += writeSync(file, bytes, from)
  fsyncSync(file)
}

function checked(entry: Entry, clean: Clean): Json {
  const line: Json = JSON.parse(JSON.stringify(entry))
  if (canonical(clean(line)) !== canonical(line)) throw new Secret()
  return line
}

/** Thrown before anything is written, to the journal or to the world. */
class Secret extends Error {
  override readonly name = 'Secret'
  constructor() {
    super('what is to be changed looks like a secret, which is kept in no journal; change it by hand')
  }
}

/** Without the journal nothing is done: it could not be taken back. */
export const unwritten = (error: unknown): string =>
  error instanceof Secret
    ? error.message
    : `the journal cannot be written (${error instanceof Error ? error.message : String(error)}), without which nothing could be taken back; have XDG_STATE_HOME name a folder of yours`

/** A new journal, for the person alone; it is not there before something is written to it. @throws where the folder cannot be written */
export function openJournal(folder: string, head: Omit<Head, 'run'>, clean: Clean): Journal {
  const run = `${head.at.replaceAll(/[-:]|\.\d+/g, '')}-${randomBytes(2).toString('hex')}`
  const file = path.join(folder, `${run}.jsonl`)
  let opened: number | undefined
  const open = (): number => {
    makeFolder(folder)
    chmodSync(folder, 0o700)
    const made = openSync(file, 'ax', 0o600)
    appendLine(made, { run, ...head })
    const parent = openSync(folder, 'r')
    fsyncSync(parent)
    closeSync(parent)
    return made
  }
  return {
    run,
    file,
    write: (entry) => {
      const line = checked(entry, clean)
      opened ??= open()
      appendLine(opened, line)
    },
    begun: () => opened !== undefined,
    close: () => {
      if (opened !== undefined) closeSync(opened)
    },
  }
}

/** Goes on with the journal of an earlier run. */
export function continueJournal(record: Record, clean: Clean): Journal {
  const isTorn = !readFileSync(record.file, 'utf8').endsWith('\n')
  const opened = openSync(record.file, 'a', 0o600)
  // What was cut off in the middle must not swallow the line that comes next.
  if (isTorn) writeSync(opened, '\n')
  return {
    run: record.head.run,
    file: record.file,
    write: (entry) => appendLine(opened, checked(entry, clean)),
    begun: () => true,
    close: () => closeSync(opened),
  }
}

/** The ids of all runs, newest first. */
export function runs(folder: string): readonly string[] {
  try {
    return readdirSync(folder)
      .filter((name) => name.endsWith('.jsonl'))
      .map((name) => name.slice(0, -'.jsonl'.length))
      .sort()
      .reverse()
  } catch {
    return []
  }
}

/** One run; undefined where the file is no journal, or cannot be read. A last line that was cut off in the middle says that nothing was begun after the line before. */
export function readRun(folder: string, run: string): Record | undefined {
  const file = path.join(folder, `${run}.jsonl`)
  let text: string
  try {
    if (statSync(file).size > mostBytes) return undefined
    text = readFileSync(file, 'utf8')
  } catch {
    return undefined
  }
  const lines = text.split('\n')
  const parsed = lines.flatMap((line): readonly JsonObject[] => {
    try {
      const value: Json = JSON.parse(line)
      return isObject(value) ? [value] : []
    } catch {
      return []
    }
  })
  const [first, ...rest] = parsed
  const head = first === undefined ? undefined : readHead(first)
  return head === undefined ? undefined : { head, file, entries: rest.flatMap(readEntry) }
}

function readHead(line: JsonObject): Head | undefined {
  const text = (name: string): string => textAt(line, name) ?? ''
  if (text('run') === '' || text('server') === '') return undefined
  return {
    run: text('run'),
    at: text('at'),
    version: text('version'),
    server: text('server'),
    context: text('context'),
    user: text('user'),
  }
}

function readChange(json: Json | undefined): Change | null {
  const [system, call] = [textAt(json, 'system'), textAt(json, 'call')]
  if (!isObject(json) || system === undefined || call === undefined || !isObject(json.input)) return null
  return { system, call, input: json.input }
}

function readEntry(line: JsonObject): readonly Entry[] {
  const { step, state } = line
  const at = textAt(line, 'at') ?? ''
  if (typeof step !== 'number') return []
  const change = readChange(line.change)
  if (state === 'begun' && change !== null)
    return [{ step, state, at, summary: textAt(line, 'summary') ?? '', change, undo: readChange(line.undo) }]
  if (state === 'done') return [{ step, state, at, undo: readChange(line.undo) }]
  if (state === 'failed') return [{ step, state, at, why: textAt(line, 'why') ?? '' }]
  return state === 'undoing' || state === 'undone' ? [{ step, state, at }] : []
}

/** One step of a run as it stands: what would take it back, and whether that has been done. */
export type Step = {
  readonly step: number
  readonly summary: string
  readonly change: Change
  /** `open`: begun, and then the run was cut off; whether it was done is for the world to say. */
  readonly state: 'open' | 'done' | 'failed' | 'undone'
  readonly undo: Change | null
}

/** The steps of a run, in the order in which they were begun. */
export function stepsOf({ entries }: Record): readonly Step[] {
  const steps = new Map<number, Step>()
  for (const entry of entries) {
    const held = steps.get(entry.step)
    if (entry.state === 'begun') {
      const { step, summary, change, undo } = entry
      steps.set(step, { step, summary, change, state: 'open', undo })
    } else if (held !== undefined) {
      if (entry.state === 'done') steps.set(entry.step, { ...held, state: 'done', undo: entry.undo })
      else if (entry.state === 'failed' || entry.state === 'undone')
        steps.set(entry.step, { ...held, state: entry.state })
    }
  }
  return [...steps.values()]
}
