/** A workload on the IRSA path, whole and healthy, that a test then breaks in one place. */
import type { V1Pod } from '@kubernetes/client-node'
import { type Cloud, defaultAudience } from './cloud.ts'
import type { Cluster } from './cluster.ts'

export type Workload = {
  readonly namespace: string
  readonly name: string
  readonly role: string
  readonly arn: string
  readonly subject: string
}

const folder = '/var/run/secrets/eks.amazonaws.com/serviceaccount'

/** ServiceAccount, role that trusts it, and a pod as the pod identity webhook leaves it; all named after a new namespace. */
export async function healthyWorkload(cluster: Cluster, cloud: Cloud, issuer: string): Promise<Workload> {
  const namespace = await cluster.namespace()
  const name = 'cart'
  const subject = `system:serviceaccount:${namespace}:${name}`
  const arn = await cloud.createRole(namespace, cloud.trustIn({ issuer, subject }))
  await cluster.serviceAccount(namespace, name, { 'eks.amazonaws.com/role-arn': arn })
  await cluster.core.createNamespacedPod({ namespace, body: injectedPod(name, arn) })
  return { namespace, name, role: namespace, arn, subject }
}

/** https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/handler/handler.go writes these. */
export const injectedPod = (serviceAccount: string, arn: string): V1Pod => ({
  metadata: { name: serviceAccount },
  spec: {
    serviceAccountName: serviceAccount,
    containers: [
      {
        name: 'main',
        image: 'registry.example.com/cart:1',
        env: [
          { name: 'AWS_ROLE_ARN', value: arn },
          { name: 'AWS_WEB_IDENTITY_TOKEN_FILE', value: `${folder}/token` },
        ],
        volumeMounts: [{ name: 'aws-iam-token', mountPath: folder, readOnly: true }],
      },
    ],
    volumes: [
      {
        name: 'aws-iam-token',
        projected: {
          sources: [{ serviceAccountToken: { audience: defaultAudience, expirationSeconds: 86_400, path: 'token' } }],
        },
      },
    ],
  },
})

/** The webhook as EKS runs it: on the control plane, where no pod and no doctor reaches it, and failing open. */
export const managedWebhook = (caBundle: string) => ({
  apiVersion: 'admissionregistration.k8s.io/v1',
  kind: 'MutatingWebhookConfiguration',
  metadata: { name: 'pod-identity-webhook' },
  webhooks: [
    {
      name: 'iam-for-pods.amazonaws.com',
      clientConfig: { url: 'https://127.0.0.1:23443/mutate', caBundle },
      rules: [{ operations: ['CREATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }],
      failurePolicy: 'Ignore',
      reinvocationPolicy: 'IfNeeded',
      sideEffects: 'None',
      admissionReviewVersions: ['v1'],
      timeoutSeconds: 2,
    },
  ],
})
