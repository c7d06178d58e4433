/** Lets the kubelets ask for tokens of the one audience for the one ServiceAccount. */
import { check } from '../../checks/storage/kubelet-may-request-driver-audience.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { createObject } from '../../domain/kubernetes-changes.ts'
import { scene } from '../../probes/storage/scene.ts'

const needs = { scene }
type Brief = ProposalBrief<typeof needs, Record<never, never>, { readonly audience: string }>

const rbac = 'rbac.authorization.k8s.io'
/** https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/#noderestriction */
const verb = 'request-serviceaccounts-token-audience'
/** A whole audience as the text has it, and no pattern. */
const isAudience = (text: string): boolean => /^[a-zA-Z0-9][\w.:/-]{1,200}$/.test(text)

function grant({ have: { scene }, data: { audience } }: Brief): Proposal {
  const pod = scene.state === 'absent' ? undefined : scene.value.pod
  if (pod === undefined || !isAudience(audience) || !/[.:/]/.test(audience)) return byHand
  const { namespace, serviceAccount } = pod
  const short = audience
    .toLowerCase()
    .replace(/^[a-z]+:\/\//, '')
    .replace(/[^a-z0-9.-]+/g, '-')
  const name = `kubelet-audience-${short.slice(0, 80)}-${namespace}-${serviceAccount}`
  const role = {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRole',
    metadata: { name },
    rules: [{ apiGroups: [''], resources: [audience], resourceNames: [serviceAccount], verbs: [verb] }],
  }
  const binding = {
    apiVersion: `${rbac}/v1`,
    kind: 'ClusterRoleBinding',
    metadata: { name },
    roleRef: { apiGroup: rbac, kind: 'ClusterRole', name },
    subjects: [{ apiGroup: rbac, kind: 'Group', name: 'system:nodes' }],
  }
  return [
    {
      summary: `Create ClusterRole ${name}, to ask for tokens for ${audience} of ServiceAccount ${serviceAccount}`,
      safety: 'review',
      ...createObject({ resource: 'clusterroles', name }, role),
    },
    {
      summary: `Bind ClusterRole ${name} to the kubelets, group system:nodes`,
      safety: 'review',
      ...createObject({ resource: 'clusterrolebindings', name }, binding),
    },
  ]
}

export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'not-declared': grant } })
