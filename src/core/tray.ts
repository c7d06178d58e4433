/** The facts of one check or probe under their names, laid out anew for each subject in the same place. */
import type { Fact } from './fact.ts'
import { ofCluster, type Told, type Tray, type Wire } from './line.ts'

export const nothing: Told = Object.freeze({})

export const newTray = (wires: readonly Wire[]): Tray => ({ wires, told: blank(wires), own: wires, dim: false })

/** All names in their order, so that facts may come in any. */
function blank(wires: readonly Wire[]): Tray['told'] {
  const told: { [name: string]: Fact<unknown> } = {}
  for (const { name } of wires) told[name] = unasked
  return told
}
const unasked: Fact<unknown> = Object.freeze({ state: 'absent', from: { system: 'probe', call: 'none', input: {} } })

/** Hands over what was told, to be held for as long as anybody likes. */
export function take(tray: Tray): Told {
  const { told } = tray
  tray.told = { ...told }
  return told
}

/** Whether the fact behind it is the same for every subject, from now on. */
export const isEverybodys = ({ line }: Wire): boolean => line.rank === ofCluster || line.nowhere !== undefined

/** From here on the facts that are everybody's stay where they are. */
export function settleShared(tray: Tray): void {
  if (!tray.own.some(isEverybodys)) return
  for (const one of tray.own) if (isEverybodys(one) && tray.told[one.name]?.state === 'unknown') tray.dim = true
  tray.own = tray.own.filter((one) => !isEverybodys(one))
}

/** The first of the facts that is unknown. */
export function firstUnknown(wires: readonly Wire[], told: Told) {
  for (let index = 0; index < wires.length; index += 1) {
    const fact = told[wires[index]?.name ?? '']
    if (fact?.state === 'unknown') return fact
  }
  return undefined
}
