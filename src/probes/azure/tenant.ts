/** Whether the tenant that a workload asks exists at the authority that it asks. */
import { absent, defineProbe, type Fact, inquire, known, type Soon, unknown } from '../../core/fact.ts'
import { at } from '../../core/json.ts'
import { type AzureCloud, cloudOfLocation } from '../../domain/azure-clouds.ts'
import { azure } from '../../domain/questions.ts'
import { azureCluster } from './cluster.ts'
import { azureIdentity } from './identity.ts'
import { askedAuthority, askedTenant } from './reference.ts'

/** The status of the tenant's openid-configuration; absent where tenant or authority is not known. */
export const tenantAnswer = defineProbe({
  id: 'azure/tenant-answer',
  about: 'whether the tenant exists at the authority',
  scope: 'service-account',
  needs: {},
  wants: { askedTenant, askedAuthority },
  ask: (_have, { askedTenant, askedAuthority }, inquiry): Soon<Fact<number>> => {
    if (askedTenant.state !== 'known' || askedAuthority.state !== 'known') return absent(askedTenant.from)
    const question = azure.tenant(askedAuthority.value.value, askedTenant.value.value)
    return inquire(inquiry, question, (json) => {
      const status = at(json, 'status')
      return typeof status === 'number' ? status : undefined
    })
  },
})

/** The cloud in which the identity lives, or else the cluster does. */
export const homeCloud = defineProbe({
  id: 'azure/home-cloud',
  about: 'the cloud of the identity',
  scope: 'service-account',
  needs: {},
  wants: { azureIdentity, azureCluster },
  ask: (_have, { azureIdentity, azureCluster }): Fact<AzureCloud> => {
    const own = azureIdentity.state === 'known' ? azureIdentity.value.location : undefined
    if (own !== undefined) return known(cloudOfLocation(own), azureIdentity.from)
    const around = azureCluster.state === 'known' ? azureCluster.value.location : undefined
    if (around !== undefined) return known(cloudOfLocation(around), azureCluster.from)
    const unseen = [azureIdentity, azureCluster].find((one) => one.state === 'unknown')
    return unseen?.state === 'unknown'
      ? unseen
      : unknown(
          'not-collected',
          'in which cloud the identity lives was not seen',
          azureIdentity.from,
          'az identity list > identities.json',
        )
  },
})
