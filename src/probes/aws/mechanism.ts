/** What shows how the application in a pod gets its AWS credentials; absent where nothing does. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { type Denial, denialsIn, isOwnBusiness, isSetUp } from '../../domain/aws-callers.ts'
import { injectedInto } from '../../domain/aws-injection.ts'
import { judgeHost } from '../../domain/sdk-refusals.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import type { ObservedError } from '../cluster/observed-errors.ts'
import { errorsOfPod } from '../workload/observed-errors.ts'
import { pod } from '../workload/pod.ts'
import { providerConfigs } from './provider-configs.ts'

const ofThisCheck = fragmentsOf('aws/sdk-supports-mechanism')

export type Mechanism = {
  /** What an SDK said of the mechanism itself. */
  readonly refusals: readonly ObservedError[]
  readonly calls: readonly (Denial & { readonly error: ObservedError })[]
  /** Hosts of AWS_CONTAINER_CREDENTIALS_FULL_URI that are not those of an agent, with their container. */
  readonly hosts: readonly { readonly container: string; readonly host: string; readonly taken: 'refused' | 'open' }[]
  /** What the pod is given; undefined where it was not seen, or is given both or nothing. */
  readonly given?: 'web-identity' | 'container-credentials'
  /** No pod was seen as the API server has it: what admission puts into it follows from what binds its ServiceAccount. */
  readonly unborn: boolean
}

/** Calls of which it is told as whom they were made, but for those that others make in the same logs. */
const callsIn = (errors: readonly ObservedError[]) =>
  errors.flatMap((error) =>
    denialsIn(error.text)
      .filter((one) => !isOwnBusiness(one) && !isSetUp(one))
      .map((one) => ({ ...one, error })),
  )

export const mechanism = defineProbe({
  id: 'aws/mechanism',
  about: 'how the application gets its AWS credentials',
  scope: 'pod',
  needs: {},
  wants: { pod, errorsOfPod, providerConfigs },
  ask: (_have, { pod, errorsOfPod, providerConfigs }): Fact<Mechanism> => {
    const errors = errorsOfPod.state === 'known' ? errorsOfPod.value : []
    const refusals = errors.filter(({ fragment }) => ofThisCheck.has(fragment))
    const calls = callsIn(errors)
    const containers = pod.state === 'known' ? pod.value.containers : []
    const hosts = containers.flatMap(({ name, env }) => {
      const uri = env.AWS_CONTAINER_CREDENTIALS_FULL_URI
      const judged = typeof uri === 'string' ? judgeHost(uri) : undefined
      return judged === undefined || judged.taken === 'yes'
        ? []
        : [{ container: name, host: judged.host, taken: judged.taken }]
    })
    if (refusals.length === 0 && calls.length === 0 && hosts.length === 0 && providerConfigs.state === 'absent')
      return absent(pod.from)
    const ways = new Set(containers.map(injectedInto).filter((way) => way !== 'none'))
    const [way] = ways
    const given = ways.size === 1 && way !== 'partial' ? way : undefined
    const unborn = ways.size === 0 && (pod.state !== 'known' || pod.value.uid === undefined)
    return known({ refusals, calls, hosts, unborn, ...(given === undefined ? {} : { given }) }, pod.from)
  },
})
