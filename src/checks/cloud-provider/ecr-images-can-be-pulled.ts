/** Whether a node that runs images from Amazon ECR gets credentials for the registry. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { ofError, wordsOf } from '../../probes/aws/evidence.ts'
import { credentialProviders, ecrActions, ecrRefusals, ecrRole, ecrUse } from '../../probes/cloud-provider/ecr.ts'

type Place = { readonly node: string; readonly registry: string }

/** In which minor version the kubelet's own provider went. */
const gone = 27

export const check = defineCheck({
  meta: {
    id: 'cloud-provider/ecr-images-can-be-pulled',
    title: 'Nodes that run images from ECR can obtain registry credentials',
    severity: 'error',
    scope: 'node',
    cloud: 'aws',
    section: 'Cloud provider',
    why: "Images are pulled with the node's role by a plugin of the kubelet; the pod's own identity takes no part.",
    fix: {
      safety: 'manual',
      does: 'Give the kubelet ecr-credential-provider by its two flags, and the role of the node the four actions; make no pull secret from a token that soon ends.',
    },
    links: [
      'https://github.com/kubernetes/cloud-provider-aws',
      'https://github.com/jlmeeker/kismatic/blob/57f9005a1f1a/docs/design-decisions/cloud-provider.md',
    ],
  },
  only: { probe: ecrUse, otherwise: 'the node runs no image from ECR' },
  needs: { ecrUse },
  wants: { credentialProviders, ecrRole, ecrRefusals },
  after: [],
  messages: {
    'provider-missing': ({ node, version, registry }: Place & { version: string }) =>
      `kubelet on ${node} (${version}) has no image credential provider for ${registry}; the built-in one is gone`,
    'provider-does-not-match': ({ node, matchImages, registry }: Place & { matchImages: string }) =>
      `the credential provider on ${node} matches ${matchImages}, not ${registry}`,
    'role-lacks-action': ({ role, actions, registry, node }: Place & { role: string; actions: string }) =>
      `node role ${role} lacks ${actions}, so ${registry} gives ${node} no token`,
    'pull-denied': ({
      node,
      image,
      reason,
      provider,
      role,
    }: Place & { image: string; reason: string; provider: string; role: string }) =>
      `node ${node} could not pull ${image}: ${reason}; kubelet's credential provider (${provider}) and the node role (${role}) do not explain it`,
  },
  remedies: {
    'provider-missing': ({ registry }) =>
      advice(
        `Install ecr-credential-provider on the node and start the kubelet with --image-credential-provider-config and --image-credential-provider-bin-dir; its CredentialProviderConfig has to match ${registry}.`,
      ),
    'provider-does-not-match': ({ registry }) =>
      advice(
        `Add a pattern that ${registry} fits to matchImages of the CredentialProviderConfig, and restart the kubelet.`,
      ),
    'role-lacks-action': ({ actions, role }) => advice(`Allow ${actions} to the role ${role}.`),
    'pull-denied': () =>
      advice(
        'Look at the flags of the kubelet, its CredentialProviderConfig and the policies of the node role.',
        'kubectl get events -A --field-selector reason=Failed',
      ),
  },
  judge: ({ have, want }) => {
    if (have.ecrUse.state === 'absent') return { status: 'not-applicable', reason: 'the node runs no image from ECR' }
    const { node, registry, image, pod, minor } = have.ecrUse.value
    const place: Place = { node, registry }
    const refusals = want.ecrRefusals.state === 'known' ? want.ecrRefusals.value : []
    const heard = refusals.map(ofError)
    const used: Evidence = { question: have.ecrUse.from, path: `${pod}: image`, observed: image }
    const providers = want.credentialProviders.state === 'known' ? want.credentialProviders.value : undefined
    if (providers?.told === false && providers.matchImages === undefined && minor !== undefined && minor >= gone)
      return {
        status: 'fail',
        message: 'provider-missing',
        data: { ...place, version: `1.${minor}` },
        evidence: [
          used,
          { question: providers.from, path: 'kubelet: --image-credential-provider-config', observed: 'not set' },
          ...heard,
        ],
      }
    const patterns = providers?.matchImages
    if (patterns !== undefined && !patterns.some((pattern) => matches(pattern, registry)))
      return {
        status: 'fail',
        message: 'provider-does-not-match',
        data: { ...place, matchImages: patterns.join(', ') || 'nothing' },
        evidence: [
          used,
          { question: providers?.from ?? have.ecrUse.from, path: 'providers[].matchImages', observed: [...patterns] },
          ...heard,
        ],
      }
    const role = want.ecrRole.state === 'known' ? want.ecrRole.value : undefined
    if (role !== undefined && role.lacks.length > 0)
      return {
        status: 'fail',
        message: 'role-lacks-action',
        data: { ...place, role: role.role, actions: role.lacks.join(', ') },
        evidence: [
          used,
          { question: want.ecrRole.from, path: 'Statement', observed: 'not allowed', expected: ecrActions.join(', ') },
          ...heard,
        ],
      }
    const [refused] = refusals
    if (refused !== undefined)
      return {
        status: 'fail',
        message: 'pull-denied',
        data: {
          ...place,
          image,
          reason: wordsOf(refused.text),
          provider: providers?.told === true || patterns !== undefined ? 'seen' : 'not seen',
          role: role?.role ?? 'not seen',
        },
        evidence: [used, ...heard],
      }
    // Pods that run say nothing: their image may have been pulled long ago.
    if (patterns === undefined || role === undefined)
      return {
        status: 'undecided',
        lacks:
          patterns === undefined
            ? 'the image credential provider of the kubelet was not seen'
            : 'the policy of the node role was not seen',
        lift: "the kubelet's unit and its CredentialProviderConfig, and the policy of its role as worker.json",
        evidence: [used],
      }
    return {
      status: 'pass',
      evidence: [
        used,
        { question: want.credentialProviders.from, path: 'providers[].matchImages', observed: [...patterns] },
      ],
    }
  },
})

/** `*.dkr.ecr.*.amazonaws.com`: each star stands for one part of the name: https://kubernetes.io/docs/tasks/administer-cluster/kubelet-credential-provider/ */
function matches(pattern: string, registry: string): boolean {
  const own = (pattern.split('/')[0] ?? '').split('.')
  const parts = registry.split('.')
  return (
    own.length === parts.length &&
    own.every((part, index) => {
      const [head = '', tail] = part.split('*')
      const here = parts[index] ?? ''
      return tail === undefined ? part === here : here.startsWith(head) && here.endsWith(tail)
    })
  )
}
