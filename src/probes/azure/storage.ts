/** The storage account that serves the issuer's documents; asked only where they did not come. */
import { absent, defineProbe, type Fact, known, onward, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { parseIssuer } from '../../domain/issuer-url.ts'
import { azure } from '../../domain/questions.ts'
import { documentOf } from '../cluster/fetched.ts'
import { issuer } from '../cluster/issuer.ts'
import { publishedDiscovery } from '../cluster/published.ts'
import { azureInUse } from './use.ts'

const storageHost =
  /^([a-z0-9]{3,24})\.(?:blob|dfs|web|z\d+\.web)\.(?:storage\.azure\.net|core\.(?:windows\.net|usgovcloudapi\.net|chinacloudapi\.cn))$/

export type HostingAccount = {
  readonly name: string /** What closes it to the internet, where something does. */
  readonly closed?: string
}

export const hostingAccount = defineProbe({
  id: 'azure/hosting-account',
  about: "the storage account that serves the issuer's documents",
  scope: 'cluster',
  needs: { azureInUse },
  wants: { issuer, publishedDiscovery },
  ask: ({ azureInUse }, { issuer, publishedDiscovery }, { ask }): Soon<Fact<HostingAccount>> => {
    const host = issuer.state === 'known' ? parseIssuer(issuer.value.issuer)?.host : undefined
    const name = storageHost.exec(host ?? '')?.[1]
    const question = azure.storageAccount(name ?? '')
    const came = publishedDiscovery.state === 'known' && documentOf(publishedDiscovery.value) !== undefined
    if (azureInUse.state === 'absent' || name === undefined || came) return absent(question)
    return onward(ask(question), (fact): Fact<HostingAccount> => {
      if (fact.state !== 'known') return fact
      const access = textAt(fact.value, 'publicNetworkAccess')
      const action = textAt(fact.value, 'defaultAction')
      const closed =
        access === 'Disabled'
          ? 'publicNetworkAccess=Disabled'
          : action === 'Deny'
            ? 'networkAcls.defaultAction=Deny'
            : undefined
      return known({ name, ...(closed === undefined ? {} : { closed }) }, question)
    })
  },
})
