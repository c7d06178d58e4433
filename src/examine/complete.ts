/** The words that may come next on a command line, as kubectl asks for them: one a line, and how the shell is to take them. */
import { clusterChoice } from '../flags/kubeconfig.ts'
import { type Manifest, type Place, placeOf } from './complete-words.ts'

/** Directives of cobra: https://pkg.go.dev/github.com/spf13/cobra#ShellCompDirective */
const directives = { files: 0, noSpace: 2, noFiles: 4, folders: 16 } as const

type Words = {
  readonly candidates: readonly (readonly [word: string, about?: string])[]
  readonly directive: number
}
type Setting = {
  readonly version: string
  readonly env: NodeJS.ProcessEnv
  /** A person who has pressed the tab key waits no longer. */
  readonly patienceMs?: number
}
/** Names out of the cluster or the kubeconfig: whatever keeps them from us, there are none. */
type Names = (of: string) => Promise<readonly string[]>

const moment = 1500

const words = (candidates: readonly string[], directive: number = directives.noFiles): Words => ({
  candidates: candidates.map((one) => [one]),
  directive,
})
const none = words([])
const files = words([], directives.files)

/** What may be named as a target, and where its names are listed. */
const kinds: { readonly [kind: string]: string } = {
  sa: 'serviceaccounts',
  pod: 'pods',
  deployment: 'deployments',
  statefulset: 'statefulsets',
  daemonset: 'daemonsets',
  job: 'jobs',
  cronjob: 'cronjobs',
  node: 'nodes',
}

async function targetWords(word: string, of: readonly string[], names: Names, named: readonly string[]) {
  const [kind = '', name] = word.split('/')
  if (name === undefined)
    return words(
      of.map((one) => `${one}/`),
      directives.noFiles | directives.noSpace,
    )
  const resource = of.includes(kind) ? kinds[kind] : undefined
  if (resource === undefined) return none
  const all = (await names(resource)).map((one) => `${kind}/${one}`)
  return words(all.filter((one) => !named.includes(one)))
}

async function checkIds(accepts: (id: string) => boolean = () => true): Promise<Words> {
  const { papers } = await import('../knowledge/papers.ts')
  return {
    candidates: papers.flatMap(({ id, title }) => (accepts(id) ? [[id, title] as const] : [])),
    directive: directives.noFiles,
  }
}

/** Ids and whole shelves of them; after a `!`, the same. */
async function checkGlobs(word: string): Promise<Words> {
  const { candidates, directive } = await checkIds()
  const shelves = new Set(candidates.map(([id]) => `${id.split('/')[0]}/*`))
  const mark = word.startsWith('!') ? '!' : ''
  const all = [...[...shelves].map((one) => [one] as const), ...candidates]
  return {
    candidates: all.map(([one, about]) => [`${mark}${one}`, about ?? `everything about ${one.slice(0, -2)}`]),
    directive,
  }
}

async function fixable(): Promise<Words> {
  const { papers } = await import('../knowledge/papers.ts')
  const ids = new Set(papers.flatMap(({ id, fix }) => (fix === null ? [] : [id])))
  return checkIds((id) => ids.has(id))
}

/** Several names in one word, with commas between them. */
function listed(word: string, names: readonly string[]): Words {
  const before = word.slice(0, word.lastIndexOf(',') + 1)
  const taken = before.split(',')
  return words(
    names.filter((one) => !taken.includes(one)).map((one) => `${before}${one}`),
    directives.noFiles | directives.noSpace,
  )
}

const namedFlags: { readonly [flag: string]: (names: Names, word: string) => Promise<Words> } = {
  namespace: async (names) => words(await names('namespaces')),
  context: async (names) => words(await names('contexts')),
  contexts: async (names, word) => listed(word, await names('contexts')),
  cluster: async (names) => words(await names('clusters')),
  user: async (names) => words(await names('users')),
  sa: async (names) => words(await names('serviceaccounts')),
  pod: async (names) => words(await names('pods')),
  'in-pod': async (names) => words(await names('pods')),
  check: (_, word) => checkGlobs(word),
  only: fixable,
  also: async () => {
    const { renderers } = await import('../report/index.ts')
    return words(
      Object.keys(renderers).map((format) => `${format}=`),
      directives.noFiles | directives.noSpace,
    )
  },
}

async function valueWords({ flag, word }: Place & { kind: 'value' }, names: Names): Promise<Words> {
  if (flag.type !== 'option') return none
  if (flag.options !== undefined) return words(flag.options)
  const own = Object.hasOwn(namedFlags, flag.name) ? namedFlags[flag.name] : undefined
  if (own !== undefined) return own(names, word)
  if (flag.helpValue === 'DIR') return words([], directives.folders)
  return flag.helpValue === 'FILE' || flag.helpValue === 'PATH' ? files : none
}

async function argumentWords({ id, word, named }: Place & { kind: 'argument' }, names: Names, env: NodeJS.ProcessEnv) {
  switch (id) {
    case 'doctor':
    case 'fix':
    case 'collect':
      return targetWords(word, Object.keys(kinds), names, named)
    case 'bind:sa':
      return named.length > 0 ? none : words(await names('serviceaccounts'))
    case 'explain':
      return checkIds()
    case 'token': {
      if (named.length > 0) return none
      const inCluster = 'sa/'.startsWith(word) || word.startsWith('sa/')
      return inCluster ? targetWords(word, ['sa'], names, named) : files
    }
    case 'undo': {
      const { journalFolder, runs } = await import('../apply/journal.ts')
      return named.length > 0 ? none : words(runs(journalFolder(env)))
    }
    case 'lab':
      return named.length > 0 ? none : files
    default:
      return none
  }
}

function flagWords({ command, given }: Place & { kind: 'flag' }): Words {
  const own = Object.values(command.flags).flatMap((flag) => {
    const many = flag.type === 'option' && flag.multiple === true
    if (flag.hidden === true || (given.has(flag.name) && !many)) return []
    const about = (flag.summary ?? '').split('\n')[0] ?? ''
    const no = flag.type === 'boolean' && flag.allowNo === true ? 'no-' : ''
    return [[`--${no}${flag.name}`, about] as const]
  })
  return { candidates: [...own, ['--help', 'Show what it takes.']], directive: directives.noFiles }
}

async function wordsAt(place: Place, names: Names, env: NodeJS.ProcessEnv): Promise<Words> {
  switch (place.kind) {
    case 'command': {
      const { next, word } = place
      return word.startsWith('-') ? words(['--help', '--version']) : { candidates: next, directive: directives.noFiles }
    }
    case 'flag':
      return flagWords(place)
    case 'value':
      return valueWords(place, names)
    case 'argument':
      return argumentWords(place, names, env)
    case 'beyond':
      return files
  }
}

function namesFor({ given }: Place, { version, env, patienceMs }: Setting, signal: AbortSignal): Names {
  const values = Object.fromEntries([...given].map(([flag, said]) => [flag, said.at(-1)]))
  const choice = {
    ...clusterChoice({ ...values, 'as-group': given.get('as-group') }),
    insecureSkipTlsVerify: given.has('insecure-skip-tls-verify') || undefined,
  }
  return async (of) => {
    if (of === 'contexts' || of === 'clusters' || of === 'users') {
      const { kubeconfigNames } = await import('../sources/live/kubeconfig.ts')
      return kubeconfigNames(of, choice, env)
    }
    const { namesOf } = await import('../sources/live/names.ts')
    return namesOf(of, choice, { version, env, signal, timeoutMs: patienceMs ?? moment })
  }
}

const over = async (signal: AbortSignal): Promise<Words> =>
  new Promise((resolve) => {
    signal.addEventListener('abort', () => resolve(none), { once: true })
  })

/** A name that would be two words, or write on the terminal, cannot be completed. */
const isWord = (text: string): boolean => /^[^\s\p{C}]+$/u.test(text)

/** The text for kubectl: candidates that begin with the last word, then the directive. Never throws, and takes no longer than a moment. */
export async function complete(typed: readonly string[], manifest: Manifest, setting: Setting): Promise<string> {
  const signal = AbortSignal.timeout(setting.patienceMs ?? moment)
  const place = placeOf(typed, manifest)
  const names = namesFor(place, setting, signal)
  const found = wordsAt(place, names, setting.env).catch(() => none)
  const { candidates, directive } = await Promise.race([found, over(signal)])
  const lines = candidates
    .filter(([one]) => one.startsWith(place.word) && isWord(one))
    .map(([one, about = '']) => (about === '' ? one : `${one}\t${about.replaceAll(/\s+/gu, ' ')}`))
  return `${[...lines, `:${directive}`].join('\n')}\n`
}
