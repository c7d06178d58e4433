/** A change of every kind that a plan for Kubernetes and AWS may hold, on the broken demo. */
import * as aws from '../src/domain/aws-changes.ts'
import * as entries from '../src/domain/aws-entry-changes.ts'
import * as roles from '../src/domain/aws-role-changes.ts'
import * as kubernetes from '../src/domain/kubernetes-changes.ts'
import { account, documents, provider } from './acting.ts'

const bound = { namespace: 'shop', serviceAccount: 'cart', roleArn: `arn:aws:iam::${account}:role/cart` }
export const principal = `arn:aws:iam::${account}:role/node`
export const node = `${principal}-2`
const people = {
  principalArn: principal,
  type: 'STANDARD',
  kubernetesGroups: ['carts', 'tills'],
  username: 'people',
  tags: { team: 'carts', 'cost-centre': "it's 7" },
}
const viewer = {
  policyArn: 'arn:aws:eks::aws:cluster-access-policy/AmazonEKSViewPolicy',
  accessScope: { type: 'namespace', namespaces: ['shop', 'till'] },
}
export const clusterName = 'shop'
export const otherArn = `arn:aws:iam::${account}:oidc-provider/oidc.example/id/other`
const otherIssuer = 'https://oidc.example/id/other'
export const addonName = 'eks-pod-identity-agent'
const pinned = '9e99a48a9960b14926bb7f3b02e22da2b0ab7280'

export const trust = {
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Principal: { Service: 'ec2.amazonaws.com' }, Action: 'sts:AssumeRole' }],
}
export const permissions = (Action: string) => ({
  Version: '2012-10-17',
  Statement: [{ Effect: 'Allow', Action, Resource: 'arn:aws:s3:::shop-carts/*' }],
})
const from = JSON.parse(documents('broken')['role.json'] ?? '').Role.AssumeRolePolicyDocument
const cart = { resource: 'serviceaccounts', namespace: 'shop', name: 'cart' }
const deployment = { resource: 'deployments', namespace: 'shop', name: 'cart' }
const hostile = `it's "quoted" $(touch /tmp/never) \\ and\nlong`

/** In an order in which each can be done after those before it. */
export const changes: readonly (readonly [string, kubernetes.Changed])[] = [
  ['an annotation', kubernetes.annotate(cart, 'example.com/note', undefined, hostile)],
  ['another value of it', kubernetes.annotate(cart, 'example.com/note', hostile, 'plain')],
  ['no annotation', kubernetes.annotate(cart, 'example.com/note', 'plain', undefined)],
  ['a label', kubernetes.label(cart, 'example.com/kind', undefined, 'shop')],
  ['a member', kubernetes.patchObject(cart, [{ path: ['automountServiceAccountToken'], after: false }])],
  [
    'a text in a ConfigMap',
    kubernetes.patchObject({ resource: 'configmaps', namespace: 'shop', name: 'kube-root-ca.crt' }, [
      { path: ['data', 'more'], after: 'a\nb\n' },
    ]),
  ],
  [
    'a member of a list',
    kubernetes.patchObject(deployment, [
      {
        path: ['spec', 'template', 'spec', 'containers', 0, 'image'],
        before: 'registry.example/shop/cart:1.4.2',
        after: 'cart:2',
      },
    ]),
  ],
  [
    'a variable in between, of one container and no other',
    kubernetes.patchObject(deployment, [
      { path: ['spec', 'template', 'spec', 'containers', 0, 'env'], after: [{ name: 'A' }, { name: 'C' }] },
      { path: ['spec', 'template', 'spec', 'containers', 0, 'env', 1], after: { name: 'B', value: hostile } },
      { path: ['spec', 'template', 'spec', 'containers', 0, 'env', '-'], after: { name: 'D' } },
      { path: ['spec', 'template', 'spec', 'containers', 0, 'env', 0], before: { name: 'A' } },
      kubernetes.pinned(['spec', 'template', 'spec', 'containers', 0, 'name'], 'cart'),
    ]),
  ],
  ['a restart', kubernetes.restartWorkload(deployment, [])],
  [
    'an object',
    kubernetes.createObject(
      { resource: 'configmaps', namespace: 'shop', name: 'made' },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name: 'made', namespace: 'shop' }, data: { a: hostile } },
    ),
  ],
  ['a trust policy', aws.changeTrustPolicy(account, 'cart', from, trust)],
  ['an audience', aws.addClientId(account, provider, 'other')],
  ['a provider', aws.createProvider({ partition: 'aws', account }, otherIssuer, ['sts.amazonaws.com', 'other'])],
  ['a role', aws.createRole({ partition: 'aws', account }, 'made', trust)],
  ['an attachment', aws.attachPolicy(account, 'made', 'arn:aws:iam::aws:policy/ReadOnlyAccess')],
  ['a policy of its own', roles.putRolePolicy(account, 'made', 'own', undefined, permissions('s3:GetObject'))],
  [
    'another text of it',
    roles.putRolePolicy(account, 'made', 'own', permissions('s3:GetObject'), permissions('s3:PutObject')),
  ],
  ['longer sessions', roles.changeSessionLimit(account, 'cart', 3600, 43_200)],
  ['a thumbprint', roles.changeThumbprints(account, provider, [pinned], [pinned, 'b'.repeat(40)])],
  ['an add-on', roles.installAddon(clusterName, addonName)],
  ['its settings', roles.configureAddon(clusterName, addonName, { agent: { additionalArgs: { '-b': hostile } } })],
  ['an association', aws.createAssociation(clusterName, bound)],
  ['another role for it', aws.changeAssociation(clusterName, 'any', bound, principal)],
  ['an access entry of nodes', entries.createAccessEntry(clusterName, { principalArn: node, type: 'EC2_LINUX' })],
  ['an access entry of people', entries.createAccessEntry(clusterName, people)],
  ['an access policy', entries.associateAccessPolicy(clusterName, principal, viewer)],
]
