/** Issuers and the ARNs of their OIDC providers, as text. */

export type ProviderArn = { readonly partition: string; readonly accountId: string; readonly hostPath: string }

/** The parts of the ARN of an OIDC provider: https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_identifiers.html */
export function parseProviderArn(value: string): ProviderArn | undefined {
  const parts = /^arn:([^:]*):iam::([^:]*):oidc-provider\/(.*)$/s.exec(value)
  const [, partition, accountId, hostPath] = parts ?? []
  if (partition === undefined || accountId === undefined || hostPath === undefined) return undefined
  return { partition, accountId, hostPath }
}

export function providerArn(parts: Partial<Record<keyof ProviderArn, string | undefined>>): string {
  const { partition = 'aws', accountId = 'ACCOUNT', hostPath = 'ISSUER' } = parts
  return `arn:${partition}:iam::${accountId}:oidc-provider/${hostPath}`
}

/** The scheme is removed and nothing else is changed: neither case, nor path, nor a trailing slash. */
export function hostPathOf(issuer: string): string {
  return issuer.startsWith('https://') ? issuer.slice('https://'.length) : issuer
}

/** What a value of Principal.Federated means as an issuer, however wrongly it is written. */
export function meantIssuer(value: string): string {
  return hostPathOf(parseProviderArn(value)?.hostPath ?? value)
}

export function hostOf(hostPath: string): string {
  const slash = hostPath.indexOf('/')
  return slash < 0 ? hostPath : hostPath.slice(0, slash)
}

/** The last part of the path, such as the cluster id; undefined without a path. */
export function lastSegment(hostPath: string): string | undefined {
  return hostPath
    .split('/')
    .slice(1)
    .filter((segment) => segment !== '')
    .at(-1)
}

/** A host of AWS that has the words of an EKS issuer, whatever their order. */
export function looksLikeEks(hostPath: string): boolean {
  const host = hostOf(hostPath).toLowerCase()
  const words = host.split('.')
  return words.includes('oidc') && words.includes('eks') && /(?:^|\.)amazonaws\.com(?:\.cn)?$/.test(host)
}

/** https://docs.aws.amazon.com/eks/latest/userguide/enable-iam-roles-for-service-accounts.html */
export function isEksIssuer(hostPath: string): boolean {
  return /^oidc\.eks\.[a-z0-9-]+\.amazonaws\.com(?:\.cn)?\/id\/[^/]+$/i.test(hostPath)
}

/** The issuer that was meant by one that only looks like one of EKS, as far as its words tell. */
export function correctedEks(hostPath: string): string {
  const host = hostOf(hostPath)
  const words = host.split('.')
  const region = words.find((word) => /^[a-z]+(?:-[a-z]+)+-\d+$/.test(word)) ?? 'REGION'
  const id = lastSegment(hostPath) ?? 'CLUSTER_ID'
  return `oidc.eks.${region}.amazonaws.com${host.endsWith('.cn') ? '.cn' : ''}/id/${id}`
}

/**
 * Whether some token could have this issuer: https without port and query, and if it has the words of an EKS host, then in
 * their order. https://docs.aws.amazon.com/IAM/latest/UserGuide/id_roles_providers_create_oidc.html
 */
export function isPossibleIssuer(hostPath: string): boolean {
  if (!/^[A-Za-z0-9.-]+(?:\/[^\s:*?#]*)?$/.test(hostPath)) return false
  return !looksLikeEks(hostPath) || isEksIssuer(hostPath)
}

/** The partition that an EKS issuer or a region belongs to; without either it is the common one. */
export function partitionOf(hostPath: string | undefined, region: string | undefined): string {
  const eks = hostPath !== undefined && isEksIssuer(hostPath) ? hostPath.split('.')[2] : undefined
  const name = eks ?? region ?? ''
  if (name.startsWith('cn-')) return 'aws-cn'
  return name.startsWith('us-gov-') ? 'aws-us-gov' : 'aws'
}
