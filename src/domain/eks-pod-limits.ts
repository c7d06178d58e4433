/** How many pods the interfaces of an EC2 machine have addresses for, by the mode of the VPC CNI. */

/** What counts of an instance type. */
export type Shape = {
  readonly interfaces: number
  /** IPv4 addresses of one interface, its own among them. */
  readonly addresses: number
  readonly vcpus: number
  /** Only these carry prefixes: https://docs.aws.amazon.com/eks/latest/userguide/cni-increase-ip-addresses.html */
  readonly nitro: boolean
}

/** Secondary addresses or prefixes of 16, each with or without the first interface, which custom networking sets aside. */
export type CniMode = { readonly prefixes: boolean; readonly custom: boolean }

/** aws-node and kube-proxy, which have the node's own address. */
const onTheHost = 2

/** https://docs.aws.amazon.com/eks/latest/userguide/choosing-instance-type.html */
export function addressesFor({ interfaces, addresses, nitro }: Shape, { prefixes, custom }: CniMode): number {
  const each = (addresses - 1) * (prefixes && nitro ? 16 : 1)
  return (interfaces - (custom ? 1 : 0)) * each + onTheHost
}

/** What EKS recommends at most, whatever addresses there are. */
export const mostPods = ({ vcpus }: Shape): number => (vcpus > 30 ? 250 : 110)

export const everyMode: readonly CniMode[] = [
  { prefixes: false, custom: false },
  { prefixes: false, custom: true },
  { prefixes: true, custom: false },
  { prefixes: true, custom: true },
]
