/** Whether the AKS or Arc cluster publishes the issuer of its tokens. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { type AksName, showAks, updateAks } from '../../domain/azure-advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { azureCluster } from '../../probes/azure/cluster.ts'
import { azureInUse } from '../../probes/azure/use.ts'

type Seen = AksName & { readonly observed: string; readonly kind: string }

const show = (data: Seen): string =>
  data.kind === 'Arc' ? sh`az connectedk8s show -g ${data.group} -n ${data.cluster}` : showAks(data)

export const check = defineCheck({
  meta: {
    id: 'azure/cluster-oidc-issuer-enabled',
    title: 'The AKS cluster has its OIDC issuer enabled',
    severity: 'error',
    scope: 'cluster',
    cloud: 'azure',
    section: 'Issuer',
    why: 'Without it the tokens of the cluster carry an internal issuer, which Entra can neither match with a credential nor read keys from; it is another switch than the workload identity add-on.',
    fix: {
      safety: 'manual',
      does: 'Enable the OIDC issuer of the cluster (az aks update --enable-oidc-issuer). That restarts the API server, and can not be switched off again.',
    },
    links: ['https://learn.microsoft.com/azure/aks/use-oidc-issuer'],
  },
  only: { probe: azureInUse, otherwise: 'nothing here is bound to Azure' },
  needs: { azureCluster },
  wants: {},
  after: [],
  messages: {
    'issuer-disabled': ({ cluster, observed }: Seen) =>
      `oidcIssuerProfile.enabled of cluster ${cluster} is ${observed}, expected true; its tokens carry an internal issuer that Entra can neither match nor read`,
    'issuer-url-empty': ({ cluster, observed }: Seen) =>
      `cluster ${cluster} has the OIDC issuer enabled but shows issuer URL ${observed}; a credential written from it would get an empty issuer`,
  },
  remedies: {
    'issuer-disabled': (data) =>
      advice(
        'Enable the OIDC issuer of the cluster. The API server restarts, and the issuer can not be switched off again.',
        data.kind === 'Arc'
          ? sh`az connectedk8s update -g ${data.group} -n ${data.cluster} --enable-oidc-issuer`
          : updateAks(data, '--enable-oidc-issuer'),
      ),
    'issuer-url-empty': (data) =>
      advice(
        'Wait until the cluster shows its issuer URL, and reconcile it where that stays away; write credentials only then.',
        show(data),
      ),
  },
  judge: ({ have: { azureCluster } }) => {
    if (azureCluster.state === 'absent') return { status: 'not-applicable', reason: 'the cluster is not one of Azure' }
    const { name: cluster, resourceGroup: group, isArc, showsIssuer, issuerEnabled, issuerUrl } = azureCluster.value
    if (!showsIssuer)
      return {
        status: 'undecided',
        lacks: `what was collected of cluster ${cluster} does not show its oidcIssuerProfile`,
      }
    const data: Seen = { cluster, group, kind: isArc ? 'Arc' : 'AKS', observed: String(issuerEnabled ?? 'not set') }
    const question = azureCluster.from
    if (issuerEnabled !== true)
      return {
        status: 'fail',
        message: 'issuer-disabled',
        data,
        evidence: [{ question, path: 'oidcIssuerProfile.enabled', observed: issuerEnabled ?? null, expected: true }],
      }
    const evidence = [{ question, path: 'oidcIssuerProfile.issuerUrl', observed: issuerUrl ?? null }]
    return issuerUrl === undefined
      ? { status: 'fail', message: 'issuer-url-empty', data: { ...data, observed: 'none' }, evidence }
      : { status: 'pass', evidence }
  },
})
