/** How many network interfaces, and addresses on each, an EC2 instance type has: the addresses that pods on it can get. */
import type { Shape } from '../domain/eks-pod-limits.ts'

/** https://docs.aws.amazon.com/ec2/latest/instancetypes/ec2-instance-network-specs.html */
type Sizes = { readonly [size: string]: readonly [interfaces: number, addresses: number] }

/** What most families have in common. */
const usual: Sizes = {
  medium: [2, 4],
  large: [3, 10],
  xlarge: [4, 15],
  '2xlarge': [4, 15],
  '4xlarge': [8, 30],
  '6xlarge': [8, 30],
  '8xlarge': [8, 30],
  '9xlarge': [8, 30],
  '12xlarge': [8, 30],
  '16xlarge': [15, 50],
  '18xlarge': [15, 50],
  '24xlarge': [15, 50],
  '32xlarge': [15, 50],
  '48xlarge': [15, 50],
  metal: [15, 50],
  'metal-16xl': [15, 50],
  'metal-24xl': [15, 50],
  'metal-32xl': [15, 50],
  'metal-48xl': [15, 50],
}
const burstable: Sizes = {
  nano: [2, 2],
  micro: [2, 2],
  small: [3, 4],
  medium: [3, 6],
  large: [3, 12],
  xlarge: [4, 15],
  '2xlarge': [4, 15],
}
const fastNetwork: Sizes = { ...usual, '32xlarge': [8, 50], metal: [8, 50] }
const intelEighth: Sizes = {
  large: [3, 20],
  xlarge: [4, 30],
  '2xlarge': [4, 30],
  '4xlarge': [8, 50],
  '8xlarge': [10, 50],
  '12xlarge': [12, 50],
  '16xlarge': [16, 64],
  '24xlarge': [16, 64],
  '32xlarge': [24, 64],
  '48xlarge': [24, 64],
  '96xlarge': [24, 64],
}
const amdEighth: Sizes = {
  medium: [2, 4],
  large: [3, 20],
  xlarge: [4, 20],
  '2xlarge': [4, 40],
  '4xlarge': [8, 40],
  '8xlarge': [10, 40],
  '12xlarge': [12, 64],
  '16xlarge': [16, 64],
  '24xlarge': [16, 64],
  '48xlarge': [24, 64],
}

const words = (text: string): readonly string[] => text.split(' ')
const families = new Map<string, Sizes>([
  ...words(
    'c5 c5a c5ad c5d c5n c6a c6g c6gd c6gn c6i c6id c7a c7g c7gd c7gn c7i c7i-flex c8g c8gd i3en i4g i7i i8g im4gn is4gen ' +
      'm5 m5a m5ad m5d m5dn m5n m6a m6g m6gd m6i m6id m7a m7g m7gd m7i m7i-flex m8g m8gd ' +
      'r5 r5a r5ad r5b r5d r5dn r5n r6a r6g r6gd r6i r6id r7a r7g r7gd r7i r7iz r8g r8gd g5g g6 inf2 p3dn p4d p4de',
  ).map((family) => [family, usual] as const),
  ...words('c6in m6idn m6in r6idn r6in').map((family) => [family, fastNetwork] as const),
  ...words('c8i c8i-flex m8i m8i-flex r8i r8i-flex').map((family) => [family, intelEighth] as const),
  ...words('c8a m8a r8a').map((family) => [family, amdEighth] as const),
  ['a1', { ...usual, metal: [8, 30] }],
  ['c3', usual],
  ['c4', { ...usual, '8xlarge': [8, 30] }],
  [
    'g4dn',
    {
      xlarge: [3, 10],
      '2xlarge': [3, 10],
      '4xlarge': [3, 10],
      '8xlarge': [4, 15],
      '12xlarge': [8, 30],
      '16xlarge': [4, 15],
      metal: [15, 50],
    },
  ],
  ['g5', { ...usual, '12xlarge': [15, 50], '16xlarge': [8, 30], '48xlarge': [7, 50] }],
  ['i3', { ...usual, metal: [15, 50] }],
  ['i4i', { ...usual, '24xlarge': [15, 30] }],
  ['m4', { ...usual, large: [2, 10], '10xlarge': [8, 30], '16xlarge': [8, 30] }],
  ['m5zn', { ...usual, '3xlarge': [8, 30], '12xlarge': [15, 50] }],
  ['p3', { ...usual, '16xlarge': [8, 30] }],
  ['r3', usual],
  ['r4', usual],
  ['t2', { ...burstable, xlarge: [3, 15], '2xlarge': [3, 15] }],
  ['t3', burstable],
  ['t3a', { ...burstable, small: [2, 4] }],
  ['t4g', burstable],
])
const xen = new Set(words('c3 c4 i3 m4 p3 r3 r4 t2'))

const vcpusOf = (size: string): number => {
  const [, times] = /^(?:metal-)?(\d+)xl(?:arge)?$/.exec(size) ?? []
  if (times !== undefined) return Number(times) * 4
  return size === 'xlarge' ? 4 : size === 'metal' ? 96 : 2
}

/** The shape of an instance type such as m5.large; undefined where the table does not have it. */
export function typeShapeOf(type: string): Shape | undefined {
  const [family = '', size = ''] = type.split('.')
  const sizes = families.get(family)
  const shape = sizes !== undefined && Object.hasOwn(sizes, size) ? sizes[size] : undefined
  if (shape === undefined) return undefined
  const [interfaces, addresses] = shape
  const vcpus = type === 'a1.metal' ? 16 : vcpusOf(size)
  return { interfaces, addresses, vcpus, nitro: !xen.has(family) || size === 'metal' }
}
