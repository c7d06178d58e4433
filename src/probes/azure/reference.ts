/** The client id that a workload asks with, and the tenant and authority that it asks. */
import { absent, defineProbe, type Fact, known, onward, type Question, type Soon } from '../../core/fact.ts'
import { at, type Json, textAt } from '../../core/json.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { ownContainers, tenantAnnotation } from '../../domain/azure-pods.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { podsAndTemplates } from './pods.ts'
import { azureAccounts, azureInUse, azureUse } from './use.ts'

export type Reference = {
  readonly clientId: string
  readonly via: 'annotation' | 'environment'
  readonly path: string
  readonly from: Question
}

/** The value of a variable where it stands in a container, with the path to it. */
export function variableIn(
  pods: readonly Pod[],
  name: string,
): { readonly value: string; readonly path: string } | undefined {
  for (const pod of pods)
    for (const { name: container, env } of ownContainers(pod)) {
      const value = env[name]
      if (typeof value === 'string' && value !== '')
        return { value, path: `${pod.kind}/${pod.name} spec.containers["${container}"].env["${name}"]` }
    }
  return undefined
}

export const isClientId = (text: string): boolean => /^[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}$/i.test(text)

/** Absent where neither annotation nor pod names a client id. What is no GUID is another check's word. */
export const clientReference = defineProbe({
  id: 'azure/client-reference',
  about: 'the client id that the workload asks with',
  scope: 'service-account',
  needs: { azureUse },
  wants: { serviceAccount, podsAndTemplates },
  only: 'azureUse',
  ask: (_have, { serviceAccount, podsAndTemplates }): Fact<Reference> => {
    const annotated =
      serviceAccount.state === 'known' ? serviceAccount.value.annotations[azureClientAnnotation] : undefined
    if (annotated !== undefined && annotated.trim() !== '')
      return known(
        {
          clientId: annotated.trim(),
          via: 'annotation',
          path: `metadata.annotations["${azureClientAnnotation}"]`,
          from: serviceAccount.from,
        },
        serviceAccount.from,
      )
    const all =
      podsAndTemplates.state === 'known' ? [...podsAndTemplates.value.pods, ...podsAndTemplates.value.templates] : []
    const set = variableIn(all, 'AZURE_CLIENT_ID')
    if (set !== undefined)
      return known(
        { clientId: set.value, via: 'environment', path: set.path, from: podsAndTemplates.from },
        podsAndTemplates.from,
      )
    return serviceAccount.state === 'unknown' ? serviceAccount : absent(serviceAccount.from)
  },
})

export type WebhookSettings = { readonly configMap: string; readonly environment?: string; readonly tenantId?: string }

const configMapName = 'azure-wi-webhook-config'
const read = (json: Json, namespace: string): WebhookSettings => {
  const environment = textAt(at(json, 'data'), 'AZURE_ENVIRONMENT')
  const tenantId = textAt(at(json, 'data'), 'AZURE_TENANT_ID')
  return {
    configMap: `${namespace}/${configMapName}`,
    ...(environment === undefined ? {} : { environment }),
    ...(tenantId === undefined ? {} : { tenantId }),
  }
}

/** The webhook's own ConfigMap, in either namespace that it is installed in. Absent where nobody uses it, or it is in neither. */
export const webhookSettings = defineProbe({
  id: 'azure/webhook-settings',
  about: "the webhook's own settings",
  scope: 'cluster',
  needs: { azureInUse },
  wants: { azureAccounts },
  ask: ({ azureInUse }, { azureAccounts }, { ask }): Soon<Fact<WebhookSettings>> => {
    const [first, second] = ['kube-system', 'azure-workload-identity-system'] as const
    const question = kubernetes.get('configmaps', first, configMapName)
    if (azureInUse.state === 'absent' || azureAccounts.state !== 'known') return absent(question)
    return onward(ask(question), (fact): Soon<Fact<WebhookSettings>> => {
      if (fact.state === 'known') return known(read(fact.value, first), question)
      const other = kubernetes.get('configmaps', second, configMapName)
      return onward(ask(other), (next): Fact<WebhookSettings> => {
        if (next.state === 'known') return known(read(next.value, second), other)
        return fact.state === 'unknown' ? fact : next
      })
    })
  },
})

export type Asked = { readonly value: string; readonly where: string; readonly path: string; readonly from: Question }

/** The tenant that pods get: of the pod, else of the annotation, else of the webhook's settings. An annotation without a value gives none. */
export const askedTenant = defineProbe({
  id: 'azure/asked-tenant',
  about: 'the tenant that the workload asks',
  scope: 'service-account',
  needs: { azureUse },
  wants: { serviceAccount, podsAndTemplates, webhookSettings },
  only: 'azureUse',
  ask: (_have, { serviceAccount, podsAndTemplates, webhookSettings }): Fact<Asked> => {
    const pods =
      podsAndTemplates.state === 'known' ? [...podsAndTemplates.value.pods, ...podsAndTemplates.value.templates] : []
    const set = variableIn(pods, 'AZURE_TENANT_ID')
    const annotated = serviceAccount.state === 'known' ? serviceAccount.value.annotations[tenantAnnotation] : undefined
    const configured = webhookSettings.state === 'known' ? webhookSettings.value.tenantId : undefined
    // What the webhook has put into the pod is told by whom it had it from.
    const byAnnotation = annotated !== undefined && (set === undefined || set.value === annotated)
    if (byAnnotation && annotated.trim() === '') return absent(serviceAccount.from)
    if (byAnnotation)
      return known(
        {
          value: annotated,
          where: `annotation ${tenantAnnotation}`,
          path: `metadata.annotations["${tenantAnnotation}"]`,
          from: serviceAccount.from,
        },
        serviceAccount.from,
      )
    if (webhookSettings.state === 'known' && configured !== undefined && (set?.value ?? configured) === configured)
      return known(
        {
          value: configured,
          where: `ConfigMap ${webhookSettings.value.configMap}`,
          path: 'data.AZURE_TENANT_ID',
          from: webhookSettings.from,
        },
        webhookSettings.from,
      )
    const { from } = podsAndTemplates
    if (set !== undefined)
      return known({ value: set.value, where: 'AZURE_TENANT_ID of the pod', path: set.path, from }, from)
    if (webhookSettings.state === 'unknown') return webhookSettings
    return serviceAccount.state === 'unknown' ? serviceAccount : absent(serviceAccount.from)
  },
})

/** The authority that pods get: of the pod, else by the environment in the webhook's settings. */
export const askedAuthority = defineProbe({
  id: 'azure/asked-authority',
  about: 'the authority that the workload asks',
  scope: 'service-account',
  needs: { azureUse },
  wants: { podsAndTemplates },
  only: 'azureUse',
  ask: (_have, { podsAndTemplates }): Fact<Asked> => {
    const all =
      podsAndTemplates.state === 'known' ? [...podsAndTemplates.value.pods, ...podsAndTemplates.value.templates] : []
    const { from } = podsAndTemplates
    for (const pod of all)
      for (const { name, env } of ownContainers(pod)) {
        const value = env.AZURE_AUTHORITY_HOST
        if (typeof value === 'string')
          return known(
            {
              value,
              where: `container ${name} of ${pod.name}`,
              path: `${pod.kind}/${pod.name} spec.containers["${name}"].env["AZURE_AUTHORITY_HOST"]`,
              from,
            },
            from,
          )
      }
    return absent(from)
  },
})
