/** What was heard and seen of STS and the IAM Credentials API. */
import { absent, defineProbe, type Fact, known, reading } from '../../core/fact.ts'
import { listAt, textAt } from '../../core/json.ts'
import { gcp } from '../../domain/questions.ts'
import { type Heard, heardFor, isOpen } from './heard.ts'
import { googleWorld } from './world.ts'

export type Endpoints = {
  readonly heard: readonly Heard[]
  readonly services: Fact<readonly { readonly name: string; readonly project: string; readonly state: string }[]>
  readonly reached: readonly { readonly pod: string; readonly host: string; readonly error?: string }[]
  /** A look inside a pod that was wanted and could not be had. */
  readonly looked: Fact<true>
}

/** A few pods tell as much as all of them. */
const mostPods = 5

export const googleEndpoints = defineProbe({
  id: 'gcp/endpoints',
  about: 'the token endpoints of Google',
  scope: 'cluster',
  needs: { googleWorld },
  wants: {},
  only: 'googleWorld',
  ask: async ({ googleWorld }, _want, { ask, subjects }): Promise<Fact<Endpoints>> => {
    const { heard } = googleWorld.value
    const services = reading(await ask(gcp.services()), (json) =>
      listAt(json, 'services').flatMap((one) => {
        const name = textAt(one, 'name')
        const project = textAt(one, 'project')
        const state = textAt(one, 'state')
        return name === undefined || project === undefined || state === undefined ? [] : [{ name, project, state }]
      }),
    )
    const reached: { pod: string; host: string; error?: string }[] = []
    let looked: Fact<true> = absent(gcp.services())
    for (const { namespace, name } of subjects.filter(({ kind }) => kind === 'Pod').slice(0, mostPods)) {
      const fact = await ask(gcp.podProbe(namespace ?? 'default', name))
      if (fact.state === 'unknown' && isOpen(fact)) looked = fact
      for (const one of fact.state === 'known' ? listAt(fact.value, 'reached') : []) {
        const host = textAt(one, 'host')
        const error = textAt(one, 'error')
        if (host !== undefined) reached.push({ pod: name, host, ...(error === undefined ? {} : { error }) })
      }
    }
    const said = heardFor(heard, 'gcp/token-endpoints-answer')
    if (
      said.length + reached.length === 0 &&
      services.state !== 'known' &&
      !isOpen(services) &&
      looked.state === 'absent'
    )
      return absent(gcp.services())
    return known({ heard, services, reached, looked }, services.from)
  },
})
