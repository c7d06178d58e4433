/** Lets exactly this ServiceAccount use exactly this identity by its binding. */
import { check } from '../../checks/azure/identity-binding-complete.ts'
import { byHand, defineFixer, type Proposal } from '../../core/plan.ts'
import { createObject } from '../../domain/kubernetes-changes.ts'
import { isClientId } from '../../probes/azure/reference.ts'

type Data = { readonly clientId: string; readonly namespace: string; readonly serviceAccount: string }
const rbac = 'rbac.authorization.k8s.io'

/** One role and one binding for the two of them alone, so that neither ever admits another. */
function grant({ data: { clientId, namespace, serviceAccount } }: { readonly data: Data }): Proposal {
  if (!isClientId(clientId) || namespace === '' || serviceAccount === '') return byHand
  const name = `use-identity-${clientId}-${namespace}-${serviceAccount}`
  const role = {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name },
    rules: [{ apiGroups: ['cid.wi.aks.azure.com'], resources: [clientId], verbs: ['use-managed-identity'] }],
  }
  const binding = {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: serviceAccount, namespace }],
  }
  const made = createObject({ resource: 'clusterroles', name }, role)
  const bound = createObject({ resource: 'clusterrolebindings', name }, binding)
  return [
    { summary: `Create ClusterRole ${name}, to use identity ${clientId}`, safety: 'review', ...made },
    {
      summary: `Bind ClusterRole ${name} to ServiceAccount ${serviceAccount} in namespace ${namespace}`,
      safety: 'review',
      ...bound,
    },
  ]
}

export const fixer = defineFixer(check, { needs: {}, wants: {}, proposals: { 'use-not-granted': grant } })
