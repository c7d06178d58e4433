/** One run of collect: examine while writing down every answer, write the bundle, replay it, and say what could not be read. */
import { readdir, writeFile } from 'node:fs/promises'
import path from 'node:path'
import { makeFolder } from '../apply/folder.ts'
import type { Fact, Unknown } from '../core/fact.ts'
import type { Json } from '../core/json.ts'
import type { Report } from '../core/report.ts'
import { seen as observed } from '../domain/questions.ts'
import { closingSentence } from '../report/closing.ts'
import { render } from '../report/json.ts'
import { lineData } from '../report/ordered.ts'
import { clean, count } from '../report/text.ts'
import { bundled } from '../sources/documents/bundled.ts'
import { recorded } from '../sources/recorded.ts'
import { type Examined, type ExamineFlags, examined, type Through } from './examined.ts'
import { runOf } from './replay.ts'
import { usage } from './trouble.ts'
import { viewOf } from './view.ts'
import { leftUndone, watch } from './watch.ts'
import type { World } from './world.ts'

type CollectFlags = Omit<
  ExamineFlags,
  'file' | 'overlay' | 'output' | 'fail-on' | 'show-permissions' | 'verbose' | 'contexts' | 'all-contexts'
> & { readonly dir: string }

type Setting = { readonly version: string; readonly process: NodeJS.Process }

const interrupted = 130
const mostUnread = 40

/** The folder is new or empty: what else lay in it would be read with it. Throws usage errors. */
async function emptyFolder(dir: string): Promise<void> {
  let names: readonly string[]
  try {
    makeFolder(dir)
    names = await readdir(dir)
  } catch (error) {
    const code = error instanceof Error && 'code' in error ? ` (${String(error.code)})` : ''
    throw usage(`-d ${dir}: it cannot be written${code}`)
  }
  if (names.length > 0) throw usage(`-d ${dir}: it is not empty; name a new folder`)
}

async function write(dir: string, files: readonly { readonly name: string; readonly text: string }[]): Promise<void> {
  for (const { name, text } of files) {
    const place = path.join(dir, ...name.split('/'))
    makeFolder(path.dirname(place))
    await writeFile(place, text, { mode: 0o600, flag: 'wx' })
  }
}

const isUnread = (fact: Fact<Json>): fact is Unknown =>
  // What a flag leaves out was not tried; what only documents can tell is no loss.
  fact.state === 'unknown' && fact.why !== 'not-asked' && fact.why !== 'not-collected'

function unreadLine({ from, why, detail, lift }: Unknown): string {
  const input = Object.entries(from.input)
    .map(([key, value]) => ` ${key}=${typeof value === 'string' ? value : JSON.stringify(value)}`)
    .join('')
  return clean(
    ` - ${from.system} ${from.call}${input}: ${why}: ${detail}${lift === undefined ? '' : `; to see it: ${lift}`}`,
  )
}

function summary(dir: string, files: number, facts: readonly Fact<Json>[], report: Report): string {
  const unread = facts.filter(isUnread)
  const rest = unread.length - mostUnread
  const lines = [
    `${count(facts.length, 'answer')} written to ${clean(dir)}, in ${count(files, 'file')}`,
    ...(unread.length === 0
      ? ['everything that was asked for could be read']
      : [`${count(unread.length, 'question')} could not be answered:`, ...unread.slice(0, mostUnread).map(unreadLine)]),
    ...(rest > 0 ? [` - and ${rest} more, in bundle.yaml`] : []),
    clean(closingSentence(report)),
    `to see it again, anywhere: kubectl wi doctor -f ${clean(dir)}`,
  ]
  return `${lines.join('\n')}\n`
}

const findingsOf = ({ findings }: Report): string => JSON.stringify(findings.map(lineData))

/** Writes the folder and says on stdout what is in it. Returns the exit code. Throws usage errors. */
export async function collect(
  targets: readonly string[],
  { dir, ...rest }: CollectFlags,
  { version, process }: Setting,
): Promise<number> {
  await emptyFolder(dir)
  const flags: ExamineFlags = {
    ...rest,
    overlay: false,
    output: 'json',
    'fail-on': 'error',
    'show-permissions': false,
    verbose: false,
  }
  const stop = new AbortController()
  const following = watch()
  // Told as it stood then: what stopped sources answer in haste is no examination.
  let undone = ''
  const onInterrupt = (): void => {
    undone = leftUndone(following.snapshot())
    stop.abort()
  }
  process.once('SIGINT', onInterrupt)
  const view = viewOf(following.snapshot, {
    stream: process.stderr,
    environment: process.env,
    plain: flags['no-color'],
    people: true,
    counter: flags['all-namespaces'],
  })
  let world: World | undefined
  let facts: () => readonly Fact<Json>[] = () => []
  let outcome: Examined
  const ends = { stop: stop.signal, late: AbortSignal.timeout(flags.timeout) }
  try {
    const through: Through = (opened) => {
      const recording = recorded(opened.source)
      facts = recording.facts
      world = { ...opened, source: recording.source }
      return world
    }
    outcome = await examined(targets, flags, version, following, ends, { through })
    await world?.source.ask(observed.now())
  } finally {
    process.off('SIGINT', onInterrupt)
    await view.end()
  }
  if (stop.signal.aborted) {
    process.stderr.write(`${undone} Nothing was written.\n`)
    return interrupted
  }
  const { report } = outcome
  const answers = facts()
  const now = answers.find(({ from }) => from.system === 'clock')
  const { files } = bundled(answers, {
    time: now?.state === 'known' && typeof now.value === 'string' ? now.value : new Date().toISOString(),
    version,
    source: report.source,
    run: runOf(targets, flags, flags.namespace ?? world?.namespace),
  })
  const options = { color: false, width: 80, verbose: false }
  await write(dir, [...files, { name: 'report.json', text: render(report, options) }])
  process.stdout.write(summary(dir, files.length + 1, answers, report))
  const replay = await replayed(dir, flags, version)
  if (findingsOf(replay) !== findingsOf(report))
    process.stderr.write(
      'the bundle does not give quite the same findings again: this is a bug in kubectl wi. report.json has those of this run.\n',
    )
  return 0
}

/** What the doctor says of the folder as it was written. */
async function replayed(dir: string, flags: ExamineFlags, version: string): Promise<Report> {
  const { namespace: _, selector: __, check: ___, cloud: ____, ...plain } = flags
  const ends = { stop: new AbortController().signal, late: AbortSignal.timeout(Math.max(flags.timeout, 600_000)) }
  const asFiles: ExamineFlags = { ...plain, 'all-namespaces': false, file: [dir] }
  return (await examined([], asFiles, version, watch(), ends, { again: true })).report
}
