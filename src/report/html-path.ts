/** The way from a pod to its cloud identity as a picture: a station for each thing on it, coloured by the worst that was found there. */
import type { Identity, Line } from '../core/report.ts'
import { type Subject, subjectKey } from '../core/subject.ts'
import { clean, count, shorten, wrap } from './text.ts'
import { xml } from './xml.ts'

type Health = 'bad' | 'careful' | 'open' | 'blocked' | 'good' | 'none'

type Station = {
  readonly name: string
  /** What stands there: a name, an address, how many. */
  readonly what: string
  readonly health: Health
  readonly words: string
}

const signs: { readonly [H in Health]: string } = {
  bad: '✗',
  careful: '!',
  open: '?',
  blocked: '◦',
  good: '✓',
  none: '–',
}

const spoken: { readonly [H in Health]: string } = {
  bad: 'fault',
  careful: 'warning',
  open: 'not seen',
  blocked: 'blocked',
  good: 'ok',
  none: 'not judged',
}

/** The worst first. */
const worst: readonly Health[] = ['bad', 'careful', 'open', 'blocked', 'good', 'none']

function healthOf({ status, severity, accepted }: Line): Health {
  if (accepted !== undefined) return 'careful'
  if (status === 'fail') return severity === 'error' ? 'bad' : 'careful'
  if (status === 'crashed') return 'bad'
  if (status === 'unknown') return severity === 'error' ? 'open' : 'none'
  if (status === 'blocked') return 'blocked'
  return status === 'pass' ? 'good' : 'none'
}

/** Headings of the report by the station that they are about; those of nodes, controllers and tools are not on the way. */
const stops: { readonly [section: string]: 'issuer' | 'trust' | 'identity' | 'storage' } = {
  Issuer: 'issuer',
  Token: 'issuer',
  Trust: 'trust',
  Federation: 'trust',
  Binding: 'trust',
  'Pod Identity': 'trust',
  Exchange: 'trust',
  Identity: 'identity',
  Permissions: 'identity',
  Roles: 'identity',
  Credentials: 'trust',
  Storage: 'storage',
}

const own: { readonly [section: string]: true } = { Workload: true, Webhook: true, 'Set-up': true }

function stationOf(line: Line): 'pods' | 'account' | 'issuer' | 'trust' | 'identity' | 'storage' | undefined {
  const stop = stops[line.section]
  if (stop !== undefined) return stop
  if (own[line.section] === undefined) return undefined
  return line.subject.kind === 'Pod' ? 'pods' : line.subject.kind === 'ServiceAccount' ? 'account' : undefined
}

const summary = (lines: readonly Line[]): Pick<Station, 'health' | 'words'> => {
  const judged = lines.filter(({ status }) => status !== 'not-applicable')
  const health = worst.find((one) => judged.some((line) => healthOf(line) === one)) ?? 'none'
  const told = judged.filter((line) => healthOf(line) === health)
  const [first] = told
  if (first === undefined || health === 'none') return { health, words: spoken.none }
  if (health === 'bad' || health === 'careful') return { health, words: first.message }
  const many = `${told.length} of ${judged.length}`
  return { health, words: health === 'good' ? `${many} ok` : `${many} ${spoken[health]}` }
}

const concerns = (line: Line, account: Subject): boolean => {
  const key = subjectKey(account)
  const everybody = [line.subject, ...(line.others ?? [])]
  return everybody.some(
    (one) =>
      (one.kind === 'Cluster' && one.context === account.context) ||
      subjectKey(one) === key ||
      one.of?.includes(key) === true,
  )
}

/** `arn:aws:iam::111122223333:role/team/cart` → `role/team/cart`; the account stands in the title of the picture's text. */
const shortIdentity = (identity: string): string =>
  identity.startsWith('arn:')
    ? identity.split(':').slice(5).join(':') || identity
    : (identity.split('/').at(-1) ?? identity)

export function stationsOf({ subject, identity }: Identity, findings: readonly Line[]): readonly Station[] {
  const lines = findings.filter((line) => concerns(line, subject))
  const at = (stop: ReturnType<typeof stationOf>): readonly Line[] => lines.filter((line) => stationOf(line) === stop)
  const pods = new Set(
    lines
      .flatMap((line) => [line.subject, ...(line.others ?? [])])
      .filter(({ kind }) => kind === 'Pod')
      .map(({ name }) => name),
  )
  const [pod] = pods
  const storage = at('storage')
  return [
    {
      name: 'Pods',
      what: pods.size === 1 && pod !== undefined ? pod : pods.size === 0 ? 'none seen' : count(pods.size, 'pod'),
      ...summary(at('pods')),
    },
    { name: 'ServiceAccount', what: `${subject.namespace ?? ''}/${subject.name}`, ...summary(at('account')) },
    { name: 'Token issuer', what: 'of the cluster', ...summary(at('issuer')) },
    { name: 'Trust', what: 'of the cloud', ...summary(at('trust')) },
    { name: 'Identity', what: shortIdentity(identity), ...summary(at('identity')) },
    ...(storage.some(({ status }) => status !== 'not-applicable')
      ? [{ name: 'Storage', what: 'that it mounts', ...summary(storage) }]
      : []),
  ]
}

const text = (x: number, y: number, style: string, words: string, anchor = 'start'): string =>
  `<text x="${x}" y="${y}" class="${style}" text-anchor="${anchor}">${xml(words)}</text>`

const within = (words: string, letters: number): string => shorten(clean(words), letters)

const box = { width: 168, height: 102, gap: 30 } as const

/** A box with its sign, its name, what stands there and what is to be said of it, in two lines at most. */
function drawn(station: Station, x: number, y: number, width: number): string {
  const letters = Math.floor((width - 20) / 6.4)
  const { name, what, health, words } = station
  const [first = '', ...rest] = wrap(clean(words), letters)
  return [
    `<g class="station ${health}"><title>${xml(clean(`${name}: ${what}: ${words}`))}</title>`,
    `<rect x="${x}" y="${y}" width="${width}" height="${box.height}" rx="8"/>`,
    text(x + 12, y + 24, 'sign', signs[health]),
    text(x + 32, y + 24, 'name', name),
    text(x + 12, y + 47, 'what', within(what, letters)),
    text(x + 12, y + 70, 'words', within(first, letters)),
    rest.length === 0 ? '' : text(x + 12, y + 87, 'words', within(rest.join(' '), letters)),
    '</g>',
  ].join('')
}

const isBroken = ({ health }: Station): boolean => health === 'bad'

const label = (identity: Identity, stations: readonly Station[]): string =>
  xml(
    clean(
      `From ${identity.subject.namespace ?? ''}/${identity.subject.name} to ${identity.identity}: ${stations.map(({ name, health }) => `${name} ${spoken[health]}`).join(', ')}`,
    ),
  )

/** Side by side, for a wide page. */
function across(stations: readonly Station[], identity: Identity): string {
  const width = stations.length * (box.width + box.gap) - box.gap + 4
  const parts = stations.map((station, index) => {
    const x = 2 + index * (box.width + box.gap)
    const next = stations[index + 1]
    const y = 2 + box.height / 2
    const edge = isBroken(station) || (next !== undefined && isBroken(next)) ? 'edge cut' : 'edge'
    const arrow =
      next === undefined ? '' : `<path class="${edge}" d="M${x + box.width + 3} ${y}h${box.gap - 10}m-6 -5l6 5l-6 5"/>`
    return drawn(station, x, 2, box.width) + arrow
  })
  return `<svg class="across" viewBox="0 0 ${width} ${box.height + 4}" role="img" aria-label="${label(identity, stations)}">${parts.join('')}</svg>`
}

/** One below the other, for a narrow one. */
function down(stations: readonly Station[], identity: Identity): string {
  const wide = 360
  const step = box.height + box.gap
  const parts = stations.map((station, index) => {
    const y = 2 + index * step
    const next = stations[index + 1]
    const edge = isBroken(station) || (next !== undefined && isBroken(next)) ? 'edge cut' : 'edge'
    const arrow =
      next === undefined
        ? ''
        : `<path class="${edge}" d="M${wide / 2} ${y + box.height + 3}v${box.gap - 10}m-5 -6l5 6l5 -6"/>`
    return drawn(station, 2, y, wide - 4) + arrow
  })
  return `<svg class="down" viewBox="0 0 ${wide} ${stations.length * step - box.gap + 4}" role="img" aria-label="${label(identity, stations)}">${parts.join('')}</svg>`
}

/** Both pictures; the page's style shows the one that there is room for. */
export function pathPicture(identity: Identity, findings: readonly Line[]): string {
  const stations = stationsOf(identity, findings)
  return `<figure class="path">${across(stations, identity)}${down(stations, identity)}</figure>`
}
