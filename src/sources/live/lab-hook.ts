/** Reads KUBECTL_WI_LAB, by which `kubectl wi lab` puts its own roots and loopback addresses in the place of the public internet. */
import { readFileSync, statSync } from 'node:fs'
import { isObject, type Json, textAt, textsAt } from '../../core/json.ts'
import { codeOf, LiveTrouble, plain } from './trouble.ts'

export type Lab = {
  /** The PEM certificates that stand for the public root list. */
  readonly roots: readonly string[]
  /** Where this host is served; undefined where the lab has no such host. */
  readonly connect: (host: string, port: number) => { readonly host: string; readonly port: number } | undefined
  readonly addresses: (host: string) => readonly string[] | undefined
}

/** Documentation addresses (RFC 5737): they look public and belong to nobody. */
const publicLooking = '203.0.113.10'
const mostBytes = 1 << 20

/** @throws LiveTrouble where the file cannot be used: a lab that is silently ignored would ask the real internet */
export function readLab(env: NodeJS.ProcessEnv): Lab | undefined {
  const file = env.KUBECTL_WI_LAB
  if (file === undefined || file === '') return undefined
  const refuse = (what: string): LiveTrouble =>
    new LiveTrouble(
      `KUBECTL_WI_LAB names ${plain(file)}, which ${what}`,
      'so neither the lab nor the real internet was asked',
      'run this inside `kubectl wi lab`, or unset KUBECTL_WI_LAB',
    )
  let settings: Json
  try {
    if (statSync(file).size > mostBytes) throw refuse('is too large')
    settings = JSON.parse(readFileSync(file, 'utf8'))
  } catch (error) {
    if (error instanceof LiveTrouble) throw error
    throw refuse(codeOf(error) === 'ENOENT' ? 'does not exist' : 'cannot be read as JSON')
  }
  const roots = textAt(settings, 'roots')?.match(/-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g) ?? []
  const table = isObject(settings) && isObject(settings.resolve) ? settings.resolve : {}
  const places = new Map<string, { readonly host: string; readonly port: number }>()
  for (const [from, to] of Object.entries(table)) {
    const place = typeof to === 'string' ? loopback(to) : undefined
    if (place === undefined) throw refuse(`leads ${plain(from)} to something else than a loopback address`)
    places.set(from.toLowerCase(), place)
  }
  const hosts = new Set([...places.keys()].map((place) => place.slice(0, place.lastIndexOf(':'))))
  return {
    roots,
    connect: (host, port) => places.get(`${host.toLowerCase()}:${port}`),
    addresses: (host) => {
      const own = textsAt(settings, 'addresses', host.toLowerCase())
      return own.length > 0 ? own : hosts.has(host.toLowerCase()) ? [publicLooking] : undefined
    },
  }
}

function loopback(text: string): { readonly host: string; readonly port: number } | undefined {
  const found = /^(127\.\d{1,3}\.\d{1,3}\.\d{1,3}|\[::1\]):(\d{1,5})$/.exec(text)
  const port = Number(found?.[2])
  return found?.[1] === undefined || port < 1 || port > 65535
    ? undefined
    : { host: found[1].replace(/[[\]]/g, ''), port }
}
