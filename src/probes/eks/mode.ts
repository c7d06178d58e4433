/** How an EKS cluster learns who may enter: CONFIG_MAP, API_AND_CONFIG_MAP or API. */
import { absent, defineProbe, type Fact, onward, reading, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { aws } from '../../domain/questions.ts'

export type Mode = 'CONFIG_MAP' | 'API_AND_CONFIG_MAP' | 'API'
const modes: readonly Mode[] = ['CONFIG_MAP', 'API_AND_CONFIG_MAP', 'API']

/** Absent where the cluster is not on EKS, was not asked about, or does not say: https://docs.aws.amazon.com/eks/latest/APIReference/API_AccessConfigResponse.html */
export const mode = defineProbe({
  id: 'eks/authentication-mode',
  about: 'the authentication mode of the EKS cluster',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<Mode>> => {
    if (subject.whole !== true) return absent(aws.cluster())
    return onward(ask(aws.cluster()), (answer): Fact<Mode> => {
      if (answer.state !== 'known') return answer
      const said = textAt(answer.value, 'cluster', 'accessConfig', 'authenticationMode')
      return said === undefined ? absent(answer.from) : reading(answer, () => modes.find((one) => one === said))
    })
  },
})
