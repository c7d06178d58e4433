/** The plan of KET that was handed over, and which cloud provider is declared at all. */
import { absent, defineProbe, type Fact, known, type Question, type Soon } from '../../core/fact.ts'
import { at, isObject, listAt, textAt, textsAt } from '../../core/json.ts'
import { documents } from '../../domain/questions.ts'
import { providerOf } from '../../knowledge/cloud-providers.ts'
import { components } from './components.ts'

export type Plan = {
  readonly file: string
  readonly provider: string
  /** Empty where the plan names none. */
  readonly config: string
  /** By component, the options that it overrides. */
  readonly overrides: { readonly [component: string]: readonly string[] }
}

/** Absent where none was handed over. */
export const plan = defineProbe({
  id: 'cloud-provider/plan',
  about: 'the plan of the installer',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: async (_have, _want, { ask }): Promise<Fact<Plan>> => {
    const question = documents.ofKind('KetPlan')
    const answer = await ask(question)
    if (answer.state === 'unknown' && answer.why !== 'not-collected') return answer
    const first = answer.state === 'known' ? listAt(answer.value, 'items')[0] : undefined
    if (first === undefined) return absent(question)
    const overrides = at(first, 'overrides')
    return known(
      {
        file: textAt(first, 'metadata', 'name') ?? '',
        provider: textAt(first, 'provider') ?? '',
        config: textAt(first, 'config') ?? '',
        overrides: Object.fromEntries(
          Object.keys(isObject(overrides) ? overrides : {}).map((name) => [name, textsAt(overrides, name)]),
        ),
      },
      question,
    )
  },
})

export type Declared = { readonly provider: string; readonly where: string; readonly from: Question }

/** The provider that a plan or a flag names, be it one that Kubernetes knows or not; absent where nobody names one. */
export const declared = defineProbe({
  id: 'cloud-provider/declared',
  about: 'the cloud provider that a plan or a flag names',
  scope: 'cluster',
  needs: {},
  wants: { plan, components },
  ask: (_have, { plan, components }): Soon<Fact<Declared>> => {
    if (plan.state === 'known' && plan.value.provider !== '')
      return known({ provider: plan.value.provider, where: plan.value.file, from: plan.from }, plan.from)
    if (plan.state === 'unknown') return plan
    const all = components.state === 'known' ? components.value.all : []
    const named = all.map((one) => ({ provider: one.flags['cloud-provider'] ?? '', where: one.place, from: one.from }))
    const first =
      named.find(({ provider }) => provider !== '' && provider !== 'external') ??
      named.find(({ provider }) => provider === 'external')
    return first === undefined ? absent(plan.from) : known(first, first.from)
  },
})

/** A provider by name, from the plan, a flag, or the stem of a file. */
export const providerNamed = (declared: Fact<Declared>, stem: string): string | undefined => {
  const named = declared.state === 'known' ? declared.value.provider : undefined
  if (named !== undefined && named !== 'external' && providerOf(named) !== undefined) return named
  const own = stem.split(/[-_.]/).find((word) => providerOf(word) !== undefined)
  return own
}
