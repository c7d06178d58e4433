/** The evaluator of egress rules, rule by rule, as the API documents them. */
import { describe, expect, test } from 'vitest'
import type { Json } from '../src/core/json.ts'
import { holds } from '../src/domain/address-blocks.ts'
import {
  admitsAddress,
  admitsCloud,
  admitsDns,
  type NetworkPolicy,
  readNetworkPolicy,
  restricting,
} from '../src/domain/network-policies.ts'
import { readPod } from '../src/domain/workload-objects.ts'

const policy = (spec: { readonly [member: string]: Json }, namespace = 'shop'): NetworkPolicy => {
  const read = readNetworkPolicy({ metadata: { name: 'cart', namespace }, spec: { podSelector: {}, ...spec } })
  if (read === undefined) throw new Error('the policy was not read')
  return read
}
const egress = (...rules: readonly Json[]): readonly NetworkPolicy[] => [policy({ egress: rules })]
const pod = (spec: { readonly [member: string]: Json } = {}, namespace = 'shop') => {
  const read = readPod({
    kind: 'Pod',
    metadata: { name: 'cart', namespace, labels: { app: 'cart', tier: 'web' } },
    spec: { containers: [], ...spec },
  })
  if (read === undefined) throw new Error('the pod was not read')
  return read
}

describe('blocks of addresses', () => {
  test.each([
    ['10.0.0.0/8', '10.255.0.1', true],
    ['10.0.0.0/9', '10.255.0.1', false],
    ['169.254.170.23', '169.254.170.23', true],
    ['0.0.0.0/0', '169.254.169.254', true],
    ['169.254.0.0/16', '169.254.0.0/17', true],
    ['169.254.0.0/17', '169.254.0.0/16', false],
    ['fd00::/8', 'fd00:ec2::23', true],
    ['fd00:ec2::23/128', 'fd00:ec2::24', false],
    ['::/0', '10.0.0.1', false],
    ['10.0.0.0/33', '10.0.0.1', undefined],
    ['10.0.0.0.0/8', '10.0.0.1', undefined],
    ['::1::/64', '::1', undefined],
    ['cluster', '10.0.0.1', undefined],
  ])('%s holds %s: %s', (block, address, expected) => {
    expect(holds(block, address)).toBe(expected)
  })
})

describe('whom a policy restricts', () => {
  const open = (...policies: readonly NetworkPolicy[]) => restricting(policies, pod()).length
  test.each<readonly [string, { readonly [member: string]: Json }, number]>([
    ['the type Egress', { policyTypes: ['Egress'] }, 1],
    ['the type Ingress alone, whatever rules there are', { policyTypes: ['Ingress'], egress: [{}] }, 0],
    ['no types, and rules of egress', { egress: [{}] }, 1],
    ['no types, and no rules of egress', { ingress: [] }, 0],
    ['labels that the pod has', { policyTypes: ['Egress'], podSelector: { matchLabels: { app: 'cart' } } }, 1],
    ['labels that it has not', { policyTypes: ['Egress'], podSelector: { matchLabels: { app: 'till' } } }, 0],
    [
      'an expression that it meets',
      {
        policyTypes: ['Egress'],
        podSelector: { matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['db'] }] },
      },
      1,
    ],
  ])('%s', (_what, spec, count) => {
    expect(open(policy(spec))).toBe(count)
  })
  test('none of another namespace, and none a pod on the host network', () => {
    expect(open(policy({ policyTypes: ['Egress'] }, 'till'))).toBe(0)
    expect(restricting([policy({ policyTypes: ['Egress'] })], pod({ hostNetwork: true }))).toEqual([])
  })
})

describe('what rules admit', () => {
  const block = (cidr: string, ...except: readonly string[]): Json => ({ ipBlock: { cidr, except } })
  const agent = (policies: readonly NetworkPolicy[]) => admitsAddress(policies, '169.254.170.23', 80)
  test('everything without a policy, nothing without a rule, everything by an empty rule', () => {
    expect([agent([]), agent([policy({ policyTypes: ['Egress'] })]), agent(egress({}))]).toEqual(['yes', 'no', 'yes'])
    expect(agent(egress({ to: [], ports: [] }))).toBe('yes')
  })
  test('peers and ports of one rule together, rules and policies beside each other', () => {
    const to = [block('169.254.170.23/32')]
    expect(agent(egress({ to }))).toBe('yes')
    expect(agent(egress({ to, ports: [{ port: 443 }] }))).toBe('no')
    expect(agent(egress({ to, ports: [{ port: 443 }] }, { to: [block('10.0.0.0/8')], ports: [{ port: 80 }] }))).toBe(
      'no',
    )
    expect(agent([policy({ policyTypes: ['Egress'] }), ...egress({ to, ports: [{ port: 80 }] })])).toBe('yes')
  })
  test('ports: protocol, range, name', () => {
    const by = (port: Json) => agent(egress({ ports: [port] }))
    expect(by({ port: 79, endPort: 81 })).toBe('yes')
    expect(by({ port: 81, endPort: 90 })).toBe('no')
    expect(by({ protocol: 'UDP', port: 80 })).toBe('no')
    expect(by({ protocol: 'TCP' })).toBe('yes')
    expect(by({ port: 'http' })).toBe('no')
  })
  test('an exception takes out, a selector of pods never means an address of the node', () => {
    expect(agent(egress({ to: [block('0.0.0.0/0', '169.254.0.0/16')] }))).toBe('no')
    expect(agent(egress({ to: [block('0.0.0.0/0', '169.254.169.254/32')] }))).toBe('yes')
    expect(agent(egress({ to: [{ namespaceSelector: {} }] }))).toBe('no')
    expect(agent(egress({ to: [block('not a block')] }))).toBe('maybe')
  })
  test('a host of the cloud: everywhere, perhaps in a block, not among pods', () => {
    const by = (peer: Json) => admitsCloud(egress({ to: [peer], ports: [{ port: 443 }] }))
    expect(by(block('0.0.0.0/0', '169.254.169.254/32'))).toBe('yes')
    expect(by(block('0.0.0.0/0', '10.0.0.0/8'))).toBe('maybe')
    expect(by(block('10.0.0.0/16'))).toBe('maybe')
    expect(by(block('169.254.170.23/32'))).toBe('no')
    expect(by({ podSelector: {} })).toBe('no')
    expect(admitsCloud(egress({ ports: [{ port: 80 }] }))).toBe('no')
  })
})

describe('DNS', () => {
  const ports = [{ protocol: 'UDP', port: 53 }]
  const by = (peer: Json, labels?: { readonly [key: string]: string }, namespace = 'shop') =>
    admitsDns([policy({ egress: [{ to: [peer], ports }] }, namespace)], labels)
  const named = { matchLabels: { 'kubernetes.io/metadata.name': 'kube-system' } }
  const byName = { matchLabels: { name: 'kube-system' } }
  test('by the label that every namespace has, and by the label of its pods', () => {
    expect(by({ namespaceSelector: named })).toMatchObject({ admits: 'yes', asksLabels: false })
    expect(by({ namespaceSelector: {} }).admits).toBe('yes')
    expect(by({ namespaceSelector: named, podSelector: { matchLabels: { 'k8s-app': 'kube-dns' } } }).admits).toBe('yes')
    expect(by({ namespaceSelector: named, podSelector: { matchLabels: { app: 'coredns' } } }).admits).toBe('maybe')
  })
  test('by a label that was put there, or not, or was not looked at', () => {
    expect(by({ namespaceSelector: byName })).toMatchObject({ admits: 'maybe', asksLabels: true })
    expect(by({ namespaceSelector: byName }, { name: 'kube-system' }).admits).toBe('yes')
    expect(by({ namespaceSelector: byName }, {})).toMatchObject({
      admits: 'no',
      reason: 'namespace kube-system has no label name=kube-system',
    })
    // Elsewhere the DNS lives in a namespace of another name.
    expect(by({ namespaceSelector: { matchLabels: { name: 'openshift-dns' } } }, {}).admits).toBe('maybe')
  })
  test('pods of the own namespace are not it, blocks may be', () => {
    expect(by({ podSelector: {} }).admits).toBe('no')
    expect(by({ podSelector: {} }, undefined, 'kube-system').admits).toBe('yes')
    expect(by({ ipBlock: { cidr: '10.96.0.10/32' } }).admits).toBe('maybe')
    expect(by({ ipBlock: { cidr: '169.254.20.10/32' } }).admits).toBe('maybe')
    expect(admitsDns(egress({ ports: [{ port: 53 }] }), undefined)).toMatchObject({
      admits: 'no',
      reason: 'none is for UDP port 53',
    })
    expect(admitsDns(egress({ ports: [{ protocol: 'UDP', port: 'dns' }] }), undefined).admits).toBe('yes')
    expect(admitsDns([], undefined).admits).toBe('yes')
  })
})
