/** A call that changes something in EKS, and what there is to be changed. */
import { type Json, type JsonObject, textAt } from '../core/json.ts'

/** What the cluster holds: the case's at first. Left out where the case does not show it. */
export type Holdings = {
  associations: readonly JsonObject[] | undefined
  entries: ReadonlyMap<string, JsonObject> | undefined
  /** By the principal of the entry; what is not in it the case does not show. */
  policies: ReadonlyMap<string, readonly JsonObject[]>
  /** Add-ons that were installed since the lab began; no case shows any. */
  addons: ReadonlyMap<string, JsonObject>
}

export type Write = { readonly call: string; readonly run: () => Written }
type Written = { readonly status: number; readonly body: JsonObject; readonly error?: string }

export const no = (status: number, error: string, message: string): Written => ({ status, body: { message }, error })

export type Order = {
  readonly method: string
  readonly body: string
  readonly cluster: string
  /** pod-identity-associations, access-entries */
  readonly shelf: string
  readonly one: string | undefined
  /** What of it: update; access-policies, and which. */
  readonly more?: string | undefined
  readonly last?: string | undefined
  /** `arn:PARTITION:eks:REGION:ACCOUNT` */
  readonly arn: string
  readonly idOf: (association: JsonObject) => string | undefined
}

/** REST-JSON carries times as epoch seconds, where the command line prints ISO 8601. */
export function onTheWire(printed: JsonObject): JsonObject {
  const wire: { [key: string]: Json } = { ...printed }
  for (const key of ['createdAt', 'modifiedAt', 'associatedAt']) {
    const text = textAt(printed, key)
    const seconds = text === undefined ? Number.NaN : Date.parse(text) / 1000
    if (!Number.isNaN(seconds)) wire[key] = seconds
  }
  return wire
}
