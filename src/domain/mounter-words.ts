/** What of a command line that mounts a bucket may be looked at: the tool, its options, and those values that are no secret. */
import { isList, isObject, type Json, type JsonObject } from '../core/json.ts'
import { mounterCommands } from './fuse-limits.ts'

const tools: ReadonlySet<string> = new Set(mounterCommands)
/** Options whose values may be seen; of every other one only that it is there. */
const open: ReadonlySet<string> = new Set([
  'iam-role',
  'profile',
  'credlib',
  'ecs',
  'env-auth',
  'use-msi',
  'type',
  'provider',
  'backend',
  'mode',
  'config-file',
  'key-file',
  'token-url',
  'uid',
  'gid',
  'umask',
  'file-mode',
  'dir-mode',
  'allow-other',
  'use-adls',
  'container-name',
  'auth-type',
  'appid',
  'clientid',
  'resid',
  'objid',
  'oauth-token-path',
])
const innocent = /^[\w@%+=:,./{} -]{0,200}$/
const optionName = /^-{0,2}[A-Za-z][\w.-]{0,60}$/

/** `--s3-env-auth`, `env_auth` and `RCLONE_CONFIG_X_ENV_AUTH` are one option. */
export const optionKey = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll('_', '-')
    .replace(/^-+/, '')
    .replace(/^(?:s3|azureblob|gcs)-(?=env-auth|use-msi|provider)/, '')

/** `name=value`, the value only where it may be seen; undefined for what is no option. */
function pickOption(option: string): string | undefined {
  const cut = option.indexOf('=')
  const name = cut < 0 ? option : option.slice(0, cut)
  if (!optionName.test(name)) return undefined
  if (cut < 0) return name
  const value = option.slice(cut + 1)
  return open.has(optionKey(name)) && innocent.test(value) ? `${name}=${value}` : `${name}=…`
}

/** Splits what `-o` takes: a backslash is a comma's escape, which no option that matters has. */
const ofMountOption = (text: string): readonly string[] =>
  text.split(',').flatMap((one) => pickOption(one.trim()) ?? [])

/** `:s3,provider=AWS,env_auth=true:bucket`: a remote that stands in the command itself. */
const ofRemote = (word: string): readonly string[] => {
  const [, backend, options = ''] = /^:([a-z0-9 ]{1,40})((?:,[^:]{0,400})?):/.exec(word) ?? []
  return backend === undefined ? [] : [`backend=${backend}`, ...ofMountOption(options.replace(/^,/, ''))]
}

/** Stands in a call for options that a variable, or a script in the image, adds to those that are seen. */
export const unseenOptions = '…'
const expands = /^\$(?:[@*]|\{?\w{0,60}(?:OPT|ARG|FLAG|PARAM|EXTRA))/i

function pickCall(tool: string, words: readonly string[]): readonly string[] {
  const picked = [tool]
  if (words.some((word, index) => expands.test(word) || (words[index - 1] === '-o' && word.includes('$'))))
    picked.push(unseenOptions)
  for (let index = 0; index < words.length; index += 1) {
    const word = words[index] ?? ''
    const next = words[index + 1]
    if (word === '-o' || word === '--o') {
      if (next !== undefined) picked.push(...ofMountOption(next))
      index += 1
    } else if (/^-o[a-z]/.test(word)) picked.push(...ofMountOption(word.slice(2).replace(/^=/, '')))
    else if (word.startsWith('--')) {
      const key = optionKey(word)
      const takesNext = !word.includes('=') && next !== undefined && !next.startsWith('-') && open.has(key)
      const flag =
        key === 'env-auth' || key === 'use-msi' || key === 'ecs' || key === 'allow-other' || key === 'use-adls'
      const option = pickOption(takesNext && (!flag || /^(?:true|false)$/.test(next)) ? `${word}=${next}` : word)
      if (option !== undefined) picked.push(option)
      if (takesNext && option?.includes('=') === true) index += 1
    } else if (tool === 'rclone' && word.startsWith(':')) picked.push(...ofRemote(word))
    else if (tool === 'mount') picked.push(...(optionName.test(word) ? [word] : []))
    else if (/^--?\w/.test(word)) {
      const option = pickOption(word)
      if (option !== undefined) picked.push(option)
    }
  }
  return picked
}

const baseOf = (word: string): string => word.slice(word.lastIndexOf('/') + 1)
const before =
  /^(?:exec|sudo|nohup|env|timeout|tini|dumb-init|then|do|else|--|-g|-s|\d+[smh]?|[A-Za-z_]\w{0,80}=\S{0,200})$/

/** The call in the words of one simple command, if it is one of a mounter. */
function callIn(words: readonly string[]): readonly string[] | undefined {
  let start = 0
  while (start < words.length && before.test(baseOf(words[start] ?? ''))) start += 1
  const tool = baseOf(words[start] ?? '')
  const rest = words.slice(start + 1)
  if (tools.has(tool)) return tool === 'rclone' && !rest.includes('mount') ? undefined : pickCall(tool, rest)
  if (tool !== 'mount') return undefined
  const type = rest[rest.indexOf('-t') + 1]?.replace(/^fuse\./, '')
  return rest.includes('-t') && type !== undefined && tools.has(type)
    ? ['mount', '-t', type, ...pickCall('mount', rest.slice(rest.indexOf('-t') + 2)).slice(1)]
    : undefined
}

/** The simple commands of a text for a shell: quotes and nesting do not matter for which tool is called with which options. */
const commandsIn = (script: string): readonly (readonly string[])[] =>
  script
    .slice(0, 20_000)
    .replace(/\\\r?\n/g, ' ')
    .split(/\n|;|&&|\|\|?|&|\(|\)/)
    .map((line) => line.replaceAll(/["']/g, '').split(/\s+/).filter(Boolean))

const cheap = /s3fs|goofys|mount-s3|rclone|juicefs|geesefs|blobfuse|gcsfuse/
const cheapImage = /s3fs|goofys|mount-s3|rclone|juicefs|geesefs|blobfuse|gcsfuse|csi-driver|blob-csi|azurefile-csi/
const mentions = (list: Json | undefined): boolean =>
  isList(list) && list.some((word) => typeof word === 'string' && cheap.test(word))

/** Whether the calls of a container are worth looking for: this is asked of every container of a large cluster. */
export const mayMount = ({ command, args, image, mounters }: JsonObject): boolean =>
  mounters !== undefined || mentions(command) || mentions(args) || (typeof image === 'string' && cheapImage.test(image))

/** The calls of mounters in a container, cleaned; `mounters` is what an earlier cleaning has left. */
export function mounterCalls({ command, args, image, mounters }: JsonObject): readonly (readonly string[])[] {
  if (isList(mounters))
    return mounters.flatMap((one) => (isList(one) ? [one.filter((word) => typeof word === 'string')] : []))
  const texts = (list: Json | undefined): readonly string[] =>
    isList(list) ? list.filter((word) => typeof word === 'string') : []
  const words = [...texts(command), ...texts(args)]
  const named = typeof image === 'string' ? (image.split('@')[0]?.split('/').at(-1)?.split(':')[0] ?? '') : ''
  if (!words.some((word) => cheap.test(word)) && !cheap.test(named)) return []
  const whole = callIn(words)
  if (whole !== undefined) return [whole]
  const calls = words
    .filter((word) => /\s/.test(word))
    .flatMap(commandsIn)
    .map(callIn)
    .filter((one) => one !== undefined)
  if (calls.length > 0 || texts(command).length > 0) return calls
  // The image's own entry point is the tool, and only its arguments stand here.
  const tool = [...tools].filter((one) => named.includes(one)).sort((a, b) => b.length - a.length)[0]
  return tool === undefined || (tool === 'rclone' && !words.includes('mount'))
    ? []
    : [words.length === 0 ? [tool, unseenOptions] : pickCall(tool, words)]
}

/** Options in a mounter's own configuration, as far as they may be seen: of rclone.conf and of blobfuse2's YAML. */
export function configOptions(data: Json | undefined): readonly string[] {
  if (!isObject(data)) return []
  return Object.values(data).flatMap((text) => {
    const audience =
      typeof text === 'string' && /"type"\s*:\s*"external_account"/.test(text)
        ? /"audience"\s*:\s*"([^"]{1,300})"/.exec(text)?.[1]
        : undefined
    if (audience !== undefined) return [`audience=${audience}`]
    if (typeof text !== 'string' || !/^\s*azstorage\s*:|^\[[^\]]{1,80}\]\s*$/m.test(text)) return []
    return text
      .slice(0, 20_000)
      .split('\n')
      .flatMap((line) => {
        const [, name, value = ''] = /^\s*([A-Za-z][\w-]{0,60})\s*[:=]\s*(.{0,300}?)\s*$/.exec(line) ?? []
        return name === undefined ? [] : (pickOption(`${name}=${value.replaceAll(/["']/g, '')}`) ?? [])
      })
  })
}
