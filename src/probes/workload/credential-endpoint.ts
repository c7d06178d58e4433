/** Where the pod fetches its cloud credentials; absent where it has no cloud identity. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { type CredentialEndpoint, credentialEndpointOf } from '../../domain/credential-endpoints.ts'
import { pod } from './pod.ts'
import { serviceAccount } from './service-account.ts'

export const credentialEndpoint = defineProbe({
  id: 'workload/credential-endpoint',
  about: 'where the pod fetches its cloud credentials',
  scope: 'pod',
  needs: { pod },
  wants: { serviceAccount },
  only: 'pod',
  ask: ({ pod }, { serviceAccount }): Fact<CredentialEndpoint> => {
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const found = credentialEndpointOf(pod.value, account)
    if (found !== undefined) return known(found, pod.from)
    return serviceAccount.state === 'unknown' ? serviceAccount : absent(pod.from)
  },
})
