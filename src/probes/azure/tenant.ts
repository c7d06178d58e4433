/** Whether the tenant that a workload asks exists at the authority that it asks. */
import { absent, defineProbe, type Fact, inquire, type Soon } from '../../core/fact.ts'
import { at } from '../../core/json.ts'
import { azure } from '../../domain/questions.ts'
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
