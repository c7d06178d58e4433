/** How an EKS cluster learns who may enter: CONFIG_MAP, API_AND_CONFIG_MAP or API. */
import { absent, defineProbe, type Fact, onward, reading, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import type { AwsAuth } from '../../domain/aws-auth.ts'
import { aws } from '../../domain/questions.ts'
import { awsAuth, isUncollected } from './aws-auth.ts'

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

/** aws-auth where it is read: absent where the cluster goes by access entries alone. */
export const awsAuthInForce = defineProbe({
  id: 'eks/aws-auth-in-force',
  about: 'ConfigMap kube-system/aws-auth',
  scope: 'cluster',
  needs: { awsAuth },
  wants: { mode },
  ask: ({ awsAuth }, { mode }): Fact<AwsAuth> => {
    if (mode.state === 'known' && mode.value === 'API') return absent(awsAuth.from)
    // A folder of manifests does not hold the cluster's mode, and the map is there to be read.
    return mode.state === 'unknown' && !isUncollected(mode) ? mode : awsAuth
  },
})
