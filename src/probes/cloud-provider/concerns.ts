/** Whether cloud providers concern a cluster at all: most have none, or are told of none. */
import { absent, defineProbe, type Fact, known, type Probe } from '../../core/fact.ts'
import { documents } from '../../domain/questions.ts'
import { components } from './components.ts'
import { configs } from './configs.ts'
import { ccm } from './controller.ts'
import { ofConfig, ofController, ofFlags } from './errors.ts'
import { plan } from './plan.ts'

/** Absent where all of these are; what could not be seen says nothing. */
const anyOf = (id: string, about: string, wants: { readonly [name: string]: Probe<object> }) =>
  defineProbe({
    id,
    about,
    scope: 'cluster',
    needs: {},
    wants,
    ask: (_have, want): Fact<true> => {
      const found = Object.values(want).find(({ state }) => state === 'known')
      return found === undefined ? absent(documents.ofKind('KetPlan')) : known(true, found.from)
    },
  })

export const flagsConcern = anyOf('cloud-provider/flags-concern', 'whether a component is told of a cloud provider', {
  components,
  ofFlags,
})
export const configConcerns = anyOf('cloud-provider/config-concerns', 'whether there is a cloud config', {
  plan,
  configs,
  ofConfig,
})
export const controllerConcerns = anyOf(
  'cloud-provider/controller-concerns',
  'whether a cloud controller manager is there or missed',
  { ccm, ofController },
)
