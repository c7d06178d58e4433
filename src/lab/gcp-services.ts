/** Service Usage of the lab: whether an API is enabled in a project. What a case lists counts; everything else is enabled. */
import { at, isObject, type JsonObject, listAt, textAt } from '../core/json.ts'
import { gcp } from '../domain/questions.ts'
import { json } from './gcp-answers.ts'
import type { GoogleState } from './gcp-state.ts'
import type { Reply } from './listener.ts'

const listed = (state: GoogleState): readonly JsonObject[] =>
  listAt(state.get(gcp.services()), 'services').filter(isObject)

/** Undefined where the case says nothing of it. */
export const stateOf = (state: GoogleState, project: string | undefined, service: string): string | undefined =>
  textAt(
    listed(state).find((one) => one.name === service && (project === undefined || one.project === project)),
    'state',
  )

export const serviceRead = (state: GoogleState, project: string, service: string): Reply =>
  json(200, {
    name: `projects/${project}/services/${service}`,
    state: stateOf(state, project, service) ?? 'ENABLED',
  })

export function serviceEnabled(state: GoogleState, project: string, service: string): Reply {
  const others = listed(state).filter((one) => one.name !== service || one.project !== project)
  const next = { name: service, project, state: 'ENABLED' }
  state.put(gcp.services(), {
    services: [...others, next],
    complete: at(state.get(gcp.services()), 'complete') ?? false,
  })
  return json(200, { name: 'operations/acf.lab', done: true, response: { service: next } })
}
