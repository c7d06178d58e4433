/** Hands argv to oclif with the commands already known, and turns whatever comes back into one sentence and an exit code. */
import { type Command, type Interfaces, run } from '@oclif/core'

export type CommandModule = { readonly default: Command.Class }

export type Product = {
  readonly version: string
  readonly root: string
  // What `oclif manifest` would write: the commands' flags, arguments and texts, without their code.
  readonly manifest: Readonly<Record<string, Command.Cached>>
  readonly load: Readonly<Record<string, () => Promise<CommandModule>>>
}

const name = 'kubectl-wi'

const topics = { bind: { description: 'Give a workload a cloud identity.' } }

const say = (sentence: string): void => {
  process.stderr.write(`${sentence}\n`)
}

// The words that were typed for a command that does not exist; undefined when argv names one, a topic or nothing.
const unknownCommand = (argv: readonly string[], ids: readonly string[]): string | undefined => {
  const words: string[] = []
  for (const word of argv) {
    if (word.startsWith('-')) break
    words.push(word)
    const typed = words.join(':')
    if (ids.includes(typed)) return undefined
    if (!ids.some((id) => id.startsWith(`${typed}:`))) return words.join(' ')
  }
  return undefined
}

const refusal = async (typed: string, ids: readonly string[]): Promise<string> => {
  const { nearest } = await import('./examine/near.ts')
  const [near] = nearest(typed, [...ids.map((id) => id.replaceAll(':', ' ')), '--version'])
  const hint = near === undefined ? '`kubectl wi --help` lists them.' : `did you mean \`kubectl wi ${near}\`?`
  return `"${typed}" is not a command of kubectl wi: ${hint}`
}

const pluginOf = (product: Product, pjson: Interfaces.PJSON): Interfaces.Plugin => {
  const find = async (id: string): Promise<Command.Class> => {
    const load = product.load[id]
    if (load === undefined) throw new Error(`command ${id} is in the manifest but not in the bundle`)
    const command = (await load()).default
    command.id = id
    return command
  }
  return {
    _base: '@oclif/core',
    alias: name,
    commandIDs: Object.keys(product.manifest),
    commands: Object.values(product.manifest).map((command) => ({
      ...command,
      pluginAlias: name,
      pluginName: name,
      pluginType: 'core',
      load: () => find(command.id),
    })),
    commandsDir: undefined,
    findCommand: find,
    hasManifest: true,
    hooks: {},
    isRoot: true,
    load: async () => {},
    moduleType: 'commonjs',
    name,
    options: { root: product.root },
    pjson,
    root: product.root,
    topics: Object.entries(topics).map(([topic, rest]) => ({ name: topic, ...rest })),
    type: 'core',
    valid: true,
    version: product.version,
  }
}

const pjsonOf = (product: Product): Interfaces.PJSON => ({
  name,
  version: product.version,
  oclif: {
    bin: 'kubectl wi',
    dirname: name,
    topicSeparator: ' ',
    additionalHelpFlags: ['-h'],
    topics,
  },
})

type Thrown = {
  readonly message?: unknown
  readonly stack?: unknown
  readonly code?: unknown
  readonly oclif?: { exit?: number | false }
}

const thrown = (error: unknown): Thrown => (typeof error === 'object' && error !== null ? error : { message: error })

/** The words of the command that was typed, and the names of its flags. */
const commandIn = (words: readonly string[], manifest: Product['manifest']) => {
  const id = Object.keys(manifest).find((one) => one.split(':').every((word, index) => words[index] === word))
  const flags = id === undefined ? {} : (manifest[id]?.flags ?? {})
  return { command: (id ?? '').replaceAll(':', ' '), flags: Object.keys(flags).filter((flag) => !flags[flag]?.hidden) }
}

/** What oclif's parser has refused, said so that it helps; other errors stay what they are. */
const inSentences = async (
  error: unknown,
  words: readonly string[],
  manifest: Product['manifest'],
): Promise<unknown> => {
  const { message, oclif } = thrown(error)
  if (!(error instanceof Error) || oclif === undefined || typeof message !== 'string') return error
  const { misuse } = await import('./examine/misuse.ts')
  const { command, flags } = commandIn(words, manifest)
  error.message = misuse(error, command, flags) ?? message
  return error
}

// Expected trouble is thrown as one of oclif's errors and is already a sentence; anything else is our mistake.
const exitCodeOf = (error: unknown): number => {
  const { message, stack, code, oclif } = thrown(error)
  const debug = process.env.DEBUG !== undefined && process.env.DEBUG !== ''
  if (oclif === undefined) {
    say(`this is a bug in kubectl wi: ${String(message)}${debug ? '' : ' (DEBUG=1 shows where)'}`)
  } else if (code !== 'EEXIT') {
    say(`error: ${String(message)}`)
  }
  if (debug && code !== 'EEXIT') say(String(stack))
  return typeof oclif?.exit === 'number' ? oclif.exit : 2
}

const interrupted = 130
const patience = 900

// A command that wants to say what it left undone adds its own listener; without one there is nothing to wait for.
const stopOnInterrupt = (): void => {
  process.on('SIGINT', () => {
    if (process.exitCode === interrupted || process.listenerCount('SIGINT') === 1) process.exit(interrupted)
    process.exitCode = interrupted
    setTimeout(() => process.exit(interrupted), patience).unref()
  })
}

/** Every file that a command writes is looked after where it is written; what is left is where the output went. */
const isOfOutput = ({ syscall, code }: NodeJS.ErrnoException): boolean => syscall === 'write' && code !== undefined

// `| head` closes the pipe early; the command still ends with its own verdict. A listener on the process, since touching
// stdout and stderr themselves costs a command that writes to neither.
const catchTheRest = (): void => {
  process.on('uncaughtException', (error: NodeJS.ErrnoException) => {
    if (error.code === 'EPIPE') return
    if (!isOfOutput(error)) process.exit(exitCodeOf(error))
    say(`error: the output cannot be written (${error.code})`)
    process.exit(2)
  })
}

const flushed = (stream: NodeJS.WriteStream): Promise<void> =>
  new Promise((resolve) => {
    if (stream.writableLength === 0 || stream.destroyed) resolve()
    else stream.write('', () => resolve())
  })

/** What `kubectl_complete-wi` hands on: a shell waits for it, and there is nobody to tell of trouble. */
const completed = async (argv: readonly string[], { manifest, version }: Product): Promise<never> => {
  const { complete } = await import('./examine/complete.ts')
  process.stdout.write(await complete(argv, manifest, { version, env: process.env }))
  await flushed(process.stdout)
  process.exit(0)
}

export const main = async (argv: readonly string[], product: Product): Promise<void> => {
  catchTheRest()
  if (argv[0] === '__complete') return completed(argv.slice(1), product)
  stopOnInterrupt()
  const words = argv[0] === 'help' ? [...argv.slice(1), '--help'] : [...argv]
  let code = 0
  const ids = Object.keys(product.manifest)
  const typed = unknownCommand(words, ids)
  if (typed !== undefined) {
    say(`error: ${await refusal(typed, ids)}`)
    code = 2
  } else {
    try {
      const pjson = pjsonOf(product)
      const plugin = pluginOf(product, pjson)
      await run(words, { root: product.root, pjson, plugins: new Map([[name, plugin]]), version: product.version })
    } catch (error) {
      code = exitCodeOf(await inSentences(error, words, product.manifest))
    }
  }
  await Promise.all([flushed(process.stdout), flushed(process.stderr)])
  // What a full disk has refused is told a moment later.
  await new Promise((resolve) => setImmediate(resolve))
  // Idle keep-alive sockets must not keep a finished command waiting.
  process.exit(process.exitCode === interrupted ? interrupted : code || process.exitCode || 0)
}
