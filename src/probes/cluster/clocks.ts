/** What the clocks of the control plane, of the clouds and of pods show, as differences from our own. */
import {
  absent,
  defineProbe,
  type Fact,
  type Inquiry,
  inquire,
  known,
  reading,
  type Soon,
  unknown,
} from '../../core/fact.ts'
import { at, type Json, listAt, textAt } from '../../core/json.ts'
import type { FederatingCloud } from '../../domain/federation-marks.ts'
import { isManagedIssuer, isObjectStore, parseIssuer } from '../../domain/issuer-url.ts'
import { kubernetes, oidc } from '../../domain/questions.ts'
import { federation } from './federation.ts'
import { issuer } from './issuer.ts'

export type Reading = {
  /** Milliseconds since 1970. */
  readonly date: number
  /** Seconds that it is ahead of our own clock, and by how many that may be wrong. */
  readonly ahead: number
  readonly within: number
}
export type NamedReading = Reading & { readonly host: string }
export type PodReading = Reading & { readonly pod: string; readonly node: string }

export function readClock(json: Json): Reading | undefined {
  const date = Date.parse(textAt(json, 'date') ?? '')
  const own = Date.parse(textAt(json, 'at') ?? '')
  const within = at(json, 'within')
  if (Number.isNaN(date) || Number.isNaN(own)) return undefined
  return { date, ahead: (date - own) / 1000, within: typeof within === 'number' ? within : 1 }
}

export const serverClock = defineProbe({
  id: 'cluster/server-clock',
  about: 'the time of the API server',
  scope: 'cluster',
  needs: {},
  wants: { federation },
  ask: (_have, { federation }, inquiry): Soon<Fact<Reading>> =>
    federation.state === 'absent' ? absent(kubernetes.clock()) : inquire(inquiry, kubernetes.clock(), readClock),
})

/** Where each cloud gives credentials for a token: whatever it answers to a bare GET, its clock is the one that judges the token. */
const endpoints: { readonly [C in FederatingCloud]: string } = {
  aws: 'https://sts.amazonaws.com/',
  azure: 'https://login.microsoftonline.com/common/v2.0/.well-known/openid-configuration',
  gcp: 'https://sts.googleapis.com/',
}
const inChina = 'https://sts.cn-north-1.amazonaws.com.cn/'

/**
 * The clocks of the clouds that federate; of the issuer's host in their stead only where a cloud runs that: the issuer that an API server
 * serves itself has the very clock that is in question.
 */
export const cloudClocks = defineProbe({
  id: 'cluster/cloud-clocks',
  about: 'the time of the clouds',
  scope: 'cluster',
  needs: { federation },
  wants: { issuer },
  only: 'federation',
  ask: async ({ federation }, { issuer }, inquiry): Promise<Fact<readonly NamedReading[]>> => {
    const own = issuer.state === 'known' ? issuer.value.issuer : ''
    const host = parseIssuer(own)?.host ?? ''
    const places = federation.value.clouds.map((cloud) =>
      cloud === 'aws' && host.endsWith('.amazonaws.com.cn') ? inChina : endpoints[cloud],
    )
    const found: NamedReading[] = []
    let unseen: Fact<Reading> | undefined
    const ask = async (url: string): Promise<void> => {
      const fact = reading(await inquiry.ask(oidc.clock(url)), readClock)
      if (fact.state === 'known') found.push({ ...fact.value, host: new URL(url).host })
      else unseen ??= fact
    }
    for (const url of places) await ask(url)
    if (found.length === 0 && (isManagedIssuer(host) || isObjectStore(host)))
      await ask(`${own.replace(/\/$/, '')}/.well-known/openid-configuration`)
    const from = oidc.clock(places[0] ?? '')
    if (found.length > 0) return known(found, from)
    return unseen?.state === 'unknown' ? unseen : unknown('not-collected', 'no clock of a cloud was seen', from)
  },
})

/** Of so many pods: each costs a shell, and the nodes of a cluster have their time from the same place. */
const mostLooks = 5

/** A shell in each of the first pods that are judged. */
async function looks({ subjects, ask }: Inquiry): Promise<Fact<readonly PodReading[]>> {
  const question = kubernetes.podClocks()
  const pods = subjects.flatMap(({ kind, namespace, name }) =>
    kind === 'Pod' && namespace !== undefined ? [{ namespace, name }] : [],
  )
  const told = await Promise.all(
    pods.slice(0, mostLooks).map(async ({ namespace, name }) => {
      const fact = await ask(kubernetes.podClock(namespace, name))
      const clock = reading(fact, readClock)
      if (clock.state !== 'known') return clock
      const node = fact.state === 'known' ? textAt(fact.value, 'node') : undefined
      return known({ ...clock.value, pod: `${namespace}/${name}`, node: node ?? 'not collected' }, clock.from)
    }),
  )
  const seen = told.flatMap((one) => (one.state === 'known' ? [one.value] : []))
  if (seen.length > 0) return known(seen, question)
  const refused = told.find((one) => one.state === 'unknown' && !untried(one))
  return refused?.state === 'unknown' ? refused : absent(question)
}

/** Not even tried is not the same as tried in vain. */
const untried = (fact: Fact<unknown>): boolean =>
  fact.state === 'unknown' && (fact.why === 'not-asked' || fact.why === 'not-collected')

/** Absent where nobody had looked into a pod, which is asked for on purpose only. */
export const podClocks = defineProbe<readonly PodReading[]>({
  id: 'cluster/pod-clocks',
  about: 'the clocks inside pods',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: async (_have, _want, inquiry): Promise<Fact<readonly PodReading[]>> => {
    const question = kubernetes.podClocks()
    const fact = await inquiry.ask(question)
    if (untried(fact)) return looks(inquiry)
    if (fact.state !== 'known') return fact
    const seen = listAt(fact.value, 'pods').flatMap((one) => {
      const clock = readClock(one)
      const pod = `${textAt(one, 'namespace') ?? 'default'}/${textAt(one, 'name') ?? ''}`
      return clock === undefined ? [] : [{ ...clock, pod, node: textAt(one, 'node') ?? 'not collected' }]
    })
    return seen.length === 0 ? absent(question) : known(seen, question)
  },
})
