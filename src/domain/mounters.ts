/** What a mounter can do with which credential: the form of the table of mounters, and how a row of it is chosen. */
import { optionKey } from './mounter-words.ts'
import { compareVersions, inRange, readVersion, type Version } from './versions.ts'

export type Trap = {
  readonly option: string
  readonly does: string
  /** The message that it leads to, in whichever check of storage has it. */
  readonly finding: string
  readonly versions?: string
}
export type Row = {
  readonly versions: string
  /** Of CSI drivers: whose ServiceAccount the identity is on. */
  readonly level?: string
  /** works, needs-option, fails, unproven. */
  readonly verdict: string
  readonly because?: string
  /** All of them; of a list among them, one. */
  readonly needs?: readonly (string | readonly string[])[]
  readonly also?: readonly string[]
  readonly traps?: readonly Trap[]
  readonly instead?: readonly string[]
  readonly evidence: readonly string[]
}
export type Fault = {
  readonly versions?: string
  readonly 'gke-versions'?: string
  readonly mode: string
  readonly fault: string
  readonly fixed: string
}
export type Tool = {
  readonly tool: string
  readonly name: string
  readonly kind: string
  readonly stores: readonly string[]
  readonly status: string
  readonly 'last-release'?: { readonly version: string; readonly year: number }
  readonly recognise: {
    readonly commands?: readonly string[]
    readonly backends?: readonly string[]
    readonly drivers?: readonly string[]
    readonly misspelt?: readonly string[]
    readonly images?: readonly string[]
  }
  readonly library?: string
  readonly modes: { readonly [mode: string]: readonly Row[] | undefined }
  readonly faults?: readonly Fault[]
}

/** An option as it was found: `where` is for a person, `value` is undefined where there is none and null where it may not be seen. */
export type Option = { readonly name: string; readonly value: string | null | undefined; readonly where: string }

/** Words for a mechanism, as a message names it. */
export const modeNames: { readonly [mode: string]: string } = {
  'static-keys': 'static keys',
  'node-metadata': "the node's identity",
  'ecs-relative-uri': 'the credentials of ECS',
  'aws-web-identity': 'web identity (IRSA)',
  'eks-pod-identity': 'EKS Pod Identity',
  'azure-managed-identity': 'a managed identity of the node',
  'azure-workload-identity': 'Azure workload identity',
  'gke-metadata': 'the identity of the GKE metadata server',
  'gcp-external-account': 'workload identity federation',
}
export const modeName = (mode: string): string => modeNames[mode] ?? mode

/** `mode: msi`, `credlib=`, `--iam`: the name to look for, and the value that it must have, if any. */
function wantedOf(option: string): { readonly name: string; readonly value: string | undefined } {
  const [, name = option, value = ''] = /^([^=:]+?)\s*(?:[=:]\s*(.*))?$/.exec(option) ?? []
  const plain = value.replaceAll('"', '')
  return { name: optionKey(name), value: plain === '' ? undefined : plain }
}

/** Names of one option in the different places where it may stand. */
const aliases: { readonly [name: string]: readonly string[] } = {
  mode: ['azure-storage-auth-type', 'auth-type'],
}
const isNamed = (option: Option, name: string): boolean => {
  const key = optionKey(option.name)
  // `RCLONE_CONFIG_STORE_ENV_AUTH`, `RCLONE_S3_ENV_AUTH`.
  return (
    key === name ||
    aliases[name]?.includes(key) === true ||
    (key.startsWith('rclone-') && key.endsWith(`-${name}`) && (name === 'env-auth' || name === 'use-msi'))
  )
}

/** Where an option of the table stands among those that were found; `hidden` where its value decides and may not be seen. */
export function findOption(options: readonly Option[], wanted: string): Option | 'hidden' | undefined {
  if (wanted.startsWith('mount -t ')) {
    const type = wanted.slice('mount -t '.length)
    return options.find(({ name, value }) => name === 'mount -t' && value === type)
  }
  const { name, value } = wantedOf(wanted)
  const there = options.filter((option) => isNamed(option, name))
  if (value === undefined) {
    const real = there.filter((option) => option.value !== 'false' && option.value !== '0')
    return real[0]
  }
  const fits = there.find(
    (option) =>
      option.value?.toLowerCase() === value.toLowerCase() ||
      // A switch that stands alone is on.
      (option.value === undefined && value === 'true'),
  )
  if (fits !== undefined) return fits
  return there.some((option) => option.value === null || option.value === '…') ? 'hidden' : undefined
}

/** The row of this mode, level and version; `open` where the version is not known and the rows of different ones disagree. */
export function rowOf(
  tool: Tool,
  mode: string,
  level: string | undefined,
  version: Version | undefined,
): Row | 'open' | undefined {
  const rows = (tool.modes[mode] ?? []).filter(
    (row) => row.level === undefined || level === undefined || row.level === level,
  )
  if (version !== undefined) return rows.find((row) => inRange(version, row.versions))
  const [first] = rows
  return rows.every(({ verdict }) => verdict === first?.verdict) ? rows.at(-1) : 'open'
}

/** All rows of the mode: where the version is not known, each may be the one. */
export const rowsOf = (tool: Tool, mode: string, level: string | undefined): readonly Row[] =>
  (tool.modes[mode] ?? []).filter((row) => row.level === undefined || level === undefined || row.level === level)

/** The version from which on the mode no longer fails; undefined where no later one does better. */
export function sinceOf(tool: Tool, mode: string, level: string | undefined, row: Row): string | undefined {
  const lower = (range: string): Version | undefined => readVersion(/>=?(\S+)/.exec(range)?.[1] ?? '')
  const from = lower(row.versions) ?? [0]
  const later = rowsOf(tool, mode, level)
    .filter(({ verdict, versions }) => {
      const start = lower(versions)
      return verdict !== 'fails' && verdict !== 'unproven' && start !== undefined && compareVersions(start, from) > 0
    })
    .map(({ versions }) => /(?<=>=?)[\d.]+/.exec(versions)?.[0])
  return later[0]
}

/** The first trap of these rows that stands among the options. */
export function trapIn(
  rows: readonly Row[],
  options: readonly Option[],
  version: Version | undefined,
): { readonly trap: Trap; readonly option: Option } | undefined {
  for (const { traps } of rows)
    for (const trap of traps ?? []) {
      if (trap.versions !== undefined && version !== undefined && !inRange(version, trap.versions)) continue
      const option = findOption(options, trap.option)
      if (option !== undefined && option !== 'hidden') return { trap, option }
    }
  return undefined
}

/** What a row needs and is not there; `hidden` where that depends on a value that may not be seen. */
export function missingOf(
  row: Row,
  options: readonly Option[],
): { readonly missing: readonly string[]; readonly hidden: boolean } {
  const missing: string[] = []
  let hidden = false
  for (const need of row.needs ?? []) {
    const ways = typeof need === 'string' ? [need] : need
    const found = ways.map((way) => findOption(options, way))
    if (found.some((one) => one !== undefined && one !== 'hidden')) continue
    if (found.includes('hidden')) hidden = true
    else missing.push(ways.join(' or '))
  }
  return { missing, hidden }
}

/** The names of what does it instead, in words. */
export const insteadOf = (row: Pick<Row, 'instead'> | undefined, tools: readonly Tool[]): string => {
  const words = (row?.instead ?? []).map((one) => {
    const [id = '', ...rest] = one.split(' ')
    const tool = tools.find((each) => each.tool === id)
    return tool === undefined ? one : [tool.name, ...rest].join(' ')
  })
  return words.length === 0 ? 'another mounter' : words.join(', or ')
}

/** The faults of the mode that may concern this pod. */
export const faultsOf = (tool: Tool, mode: string, hostNetwork: boolean): readonly Fault[] =>
  (tool.faults ?? []).filter(
    (one) => one.mode === mode && one.versions !== undefined && (hostNetwork || !/host network/.test(one.fault)),
  )

/** The fault of this version in this mode; `open` where the version is not known and some have one. */
export const faultOf = (faults: readonly Fault[], version: Version | undefined): Fault | 'open' | undefined =>
  version === undefined
    ? faults.length > 0
      ? 'open'
      : undefined
    : faults.find(({ versions }) => versions !== undefined && inRange(version, versions))
