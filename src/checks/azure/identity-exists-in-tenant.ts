/** Whether the identity exists, and is enabled, in the tenant that the pod asks. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice, podsOf } from '../../domain/advice.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { annotate, annotateAnew, unseen } from '../../domain/azure-advice.ts'
import { directoryIn, identifierIn } from '../../domain/azure-errors.ts'
import { tenantAnnotation } from '../../domain/azure-pods.ts'
import { sh } from '../../domain/shell-words.ts'
import { held } from '../../probes/azure/evidence.ts'
import { azureIdentity, managedIdentities, same, servicePrincipal } from '../../probes/azure/identity.ts'
import { askedTenant, clientReference, isClientId } from '../../probes/azure/reference.ts'
import { ofRefusal, refusals } from '../../probes/azure/refusals.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Data = Account & {
  readonly clientId: string
  readonly tenant: string
  readonly observed: string
  readonly expected: string
}

const setTenant = (data: Data): string =>
  annotateAnew(data, {
    key: tenantAnnotation,
    value: data.expected,
    named: 'the home tenant of the identity',
    placeholder: unseen.tenant,
    hint: 'what the first command prints',
    shows: 'az account show --query tenantId -o tsv',
  })

export const check = defineCheck({
  meta: {
    id: 'azure/identity-exists-in-tenant',
    title: 'The identity exists and is enabled in the tenant that the pod asks',
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Identity',
    why: 'Entra looks the client id up in the tenant that is asked, and in no other; a recreated identity has another one.',
    fix: {
      safety: 'review',
      does: "Set the tenant annotation of the ServiceAccount to the identity's home tenant, or its client id to that of the recreated identity. No service principal is enabled and no identity created for you.",
    },
    links: [
      'https://github.com/MicrosoftDocs/azure-docs/issues/108526',
      'https://github.com/hmcts/cnp-flux-config/pull/40558',
      'https://github.com/Azure/azure-workload-identity/issues/1353',
      'https://learn.microsoft.com/azure/aks/workload-identity-cross-tenant',
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/pkg/webhook/webhook.go',
      'https://github.com/Azure/azure-sdk-for-js/blob/main/sdk/identity/identity/TROUBLESHOOTING.md',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { serviceAccount, clientReference, azureIdentity, managedIdentities, servicePrincipal, askedTenant, refusals },
  after: ['azure/authority-is-tenant-cloud', 'azure/service-account-names-identity'],
  messages: {
    'tenant-annotation-empty': ({ namespace, serviceAccount, observed }: Data) =>
      `${tenantAnnotation} of ServiceAccount ${namespace}/${serviceAccount} is "${observed}", so AZURE_TENANT_ID is left out; remove the key or fill it`,
    recreated: ({ observed, identity, expected }: Data & { identity: string }) =>
      `client id ${observed} is gone; identity ${identity} of the same name now has ${expected}`,
    'system-assigned': ({ clientId, resource }: Data & { resource: string }) =>
      `${clientId} belongs to the system-assigned identity of ${resource}, which can not hold federated credentials`,
    disabled: ({ clientId, observed }: Data) =>
      `the service principal of ${clientId} has accountEnabled=${observed}, expected true`,
    'tenant-differs': ({ clientId, expected, observed, where }: Data & { where: string }) =>
      `identity ${clientId} lives in tenant ${expected}, pods get tenant ${observed} from ${where}`,
    'not-found': ({ clientId, tenant, said }: Data & { said: string }) =>
      `no managed identity or application has client id ${clientId} in tenant ${tenant}${said}`,
  },
  remedies: {
    'tenant-annotation-empty': setTenant,
    recreated: (data) =>
      advice(
        'Annotate the ServiceAccount with the new client id, and write the federated credential anew where it went with the old identity.',
        annotate(data, azureClientAnnotation, data.expected),
        podsOf(data),
      ),
    'system-assigned': () =>
      advice(
        'Create a user-assigned identity, give it the roles and the federated credential, and name its client id on the ServiceAccount.',
        'az identity list --query "[].{name:name,clientId:clientId}"',
      ),
    disabled: ({ clientId }) =>
      advice(
        'Find out who disabled the service principal and why, before it is enabled again.',
        sh`az ad sp show --id ${clientId} --query accountEnabled`,
      ),
    'tenant-differs': setTenant,
    'not-found': (data) =>
      advice(
        'Compare the client id with those of the identities, and the tenant with the one that they live in; then annotate the ServiceAccount with the right one.',
        'az identity list --query "[].{name:name,clientId:clientId,tenantId:tenantId}"',
        podsOf(data),
      ),
  },
  judge: ({
    want: {
      serviceAccount,
      clientReference,
      azureIdentity,
      managedIdentities,
      servicePrincipal,
      askedTenant,
      refusals,
    },
    subject,
  }) => {
    const all = held(refusals) ?? []
    const lost = all.find(({ code, text }) => code === '700016' && !/'\/subscriptions\//.test(text))
    const off = all.find(({ code }) => code === '7000112')
    const reference = held(clientReference)
    const identity = held(azureIdentity)
    const tenant = held(askedTenant)
    const said = [lost, off]
      .map((one) => (one === undefined ? undefined : identifierIn(one.text.replace(/\s+/g, ' '))))
      .find((one) => one !== undefined)
    const clientId = reference?.clientId ?? said ?? 'that the workload sends'
    const data: Data = {
      ...accountOf(subject),
      clientId,
      tenant:
        tenant?.value ??
        (lost === undefined ? undefined : directoryIn(lost.text.replace(/\s+/g, ' '))) ??
        'that was asked',
      observed: clientId,
      expected: identity?.tenantId ?? unseen.tenant,
    }
    const annotated = held(serviceAccount)?.annotations[tenantAnnotation]
    if (annotated !== undefined && annotated.trim() === '' && tenant === undefined)
      return {
        status: 'fail',
        message: 'tenant-annotation-empty',
        data: { ...data, observed: annotated },
        evidence: [
          { question: serviceAccount.from, path: `metadata.annotations["${tenantAnnotation}"]`, observed: annotated },
        ],
      }
    const evidence: Evidence[] =
      reference === undefined ? [] : [{ question: reference.from, path: reference.path, observed: reference.clientId }]
    const service = held(servicePrincipal)
    if (service !== undefined && service.kind === 'system-assigned' && identity?.kind !== 'managed')
      return {
        status: 'fail',
        message: 'system-assigned',
        data: { ...data, resource: service.name },
        evidence: [...evidence, { question: servicePrincipal.from, path: 'alternativeNames', observed: service.name }],
      }
    if (off !== undefined || service?.enabled === false)
      return {
        status: 'fail',
        message: 'disabled',
        data: { ...data, observed: 'false' },
        evidence: [
          ...evidence,
          ...(off === undefined
            ? [{ question: servicePrincipal.from, path: 'accountEnabled', observed: false, expected: true }]
            : [ofRefusal(off)]),
        ],
      }
    if (
      identity?.tenantId !== undefined &&
      tenant !== undefined &&
      isClientId(tenant.value) &&
      !same(identity.tenantId, tenant.value)
    )
      return {
        status: 'fail',
        message: 'tenant-differs',
        data: { ...data, observed: tenant.value, where: tenant.where },
        evidence: [
          ...evidence,
          { question: tenant.from, path: tenant.path, observed: tenant.value, expected: identity.tenantId },
          ...(lost === undefined ? [] : [ofRefusal(lost)]),
        ],
      }
    if (identity === undefined && reference !== undefined && (azureIdentity.state === 'absent' || lost !== undefined)) {
      // An identity that is called as the ServiceAccount is, and has another client id: the one that was there before is gone.
      const heir = (held(managedIdentities)?.items ?? []).find(
        ({ name }) => name.toLowerCase() === data.serviceAccount.toLowerCase() && lost !== undefined,
      )
      if (heir !== undefined)
        return {
          status: 'fail',
          message: 'recreated',
          data: { ...data, identity: heir.name, expected: heir.clientId },
          evidence: [
            ...evidence,
            { question: managedIdentities.from, path: `identities["${heir.name}"].clientId`, observed: heir.clientId },
          ],
        }
    }
    if (lost !== undefined && identity === undefined)
      return {
        status: 'fail',
        message: 'not-found',
        data: { ...data, said: ' (AADSTS700016)' },
        evidence: [...evidence, ofRefusal(lost)],
      }
    if (reference === undefined)
      return clientReference.state === 'absent'
        ? { status: 'not-applicable', reason: 'the workload names no client id' }
        : { status: 'undecided', lacks: 'which client id the workload asks with was not seen' }
    if (!isClientId(reference.clientId))
      return { status: 'not-applicable', reason: 'what the workload names is no client id' }
    if (azureIdentity.state === 'absent')
      return {
        status: 'fail',
        message: 'not-found',
        data: { ...data, said: '' },
        evidence: [
          ...evidence,
          { question: managedIdentities.from, path: 'identities[].clientId', observed: null, expected: clientId },
        ],
      }
    if (identity === undefined)
      return {
        status: 'undecided',
        lacks: `whether ${clientId} exists was not seen`,
        lift: 'az identity list > identities.json',
        evidence,
      }
    if (lost !== undefined)
      return {
        status: 'undecided',
        lacks:
          'the identity exists, and Entra did not find it in the tenant that was asked; which tenant that is was not seen',
        evidence: [...evidence, ofRefusal(lost)],
      }
    if (tenant === undefined || identity.tenantId === undefined)
      return {
        status: 'undecided',
        lacks: 'which tenant the workload asks, or in which the identity lives, was not seen',
        evidence,
        lift: 'kubectl get configmap azure-wi-webhook-config -n kube-system -o yaml',
      }
    return {
      status: 'pass',
      evidence: [
        ...evidence,
        { question: azureIdentity.from, path: 'tenantId', observed: identity.tenantId, expected: tenant.value },
      ],
    }
  },
})
