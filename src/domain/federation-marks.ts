/** What shows that a workload exchanges its token by issuer, and with which cloud. */
import {
  audienceAnnotation,
  awsAudience,
  azureAudience,
  azureClientAnnotation,
  googleAnnotation,
  roleAnnotation,
} from './audiences.ts'
import type { Meta, Pod } from './workloads.ts'

export type FederatingCloud = 'aws' | 'azure' | 'gcp'

export const cloudNames: { readonly [C in FederatingCloud]: string } = {
  aws: 'AWS STS',
  azure: 'Microsoft Entra',
  gcp: 'Google STS',
}

/** EKS Pod Identity and the GKE pool are left out: they do not read the issuer. */
export function cloudOfAudience(audience: string): FederatingCloud | undefined {
  if (audience === awsAudience || /^sts(\.[a-z0-9-]+)?\.amazonaws\.com(\.cn)?$/.test(audience)) return 'aws'
  if (audience.toLowerCase().startsWith(azureAudience.toLowerCase())) return 'azure'
  if (audience.includes('/workloadIdentityPools/') && audience.includes('/providers/')) return 'gcp'
  return undefined
}

export function cloudsOfAccount({ annotations }: Pick<Meta, 'annotations'>): readonly FederatingCloud[] {
  const clouds: FederatingCloud[] = []
  if (annotations[roleAnnotation] !== undefined || annotations[audienceAnnotation] !== undefined) clouds.push('aws')
  if (annotations[azureClientAnnotation] !== undefined) clouds.push('azure')
  return clouds
}

/** Whether the account gets its identity without anybody reading the issuer: the pool of its GKE cluster. */
export const bindsWithoutIssuer = ({ annotations }: Pick<Meta, 'annotations'>): boolean =>
  annotations[googleAnnotation] !== undefined

export function cloudsOfPod(pod: Pod): readonly FederatingCloud[] {
  const clouds = new Set<FederatingCloud>()
  if (pod.labels['azure.workload.identity/use'] === 'true') clouds.add('azure')
  for (const { env } of pod.containers) {
    if ('AWS_WEB_IDENTITY_TOKEN_FILE' in env) clouds.add('aws')
    if ('AZURE_FEDERATED_TOKEN_FILE' in env) clouds.add('azure')
  }
  for (const { tokens } of pod.volumes)
    for (const { audience } of tokens) {
      const cloud = audience === undefined ? undefined : cloudOfAudience(audience)
      if (cloud !== undefined) clouds.add(cloud)
    }
  return [...clouds]
}

/** The cloud whose token endpoint speaks in an error text. */
export function cloudOfError(text: string): FederatingCloud | undefined {
  if (/AADSTS\d+|Assertion Issuer|assertion issuer|federated identity record/.test(text)) return 'azure'
  if (
    /AssumeRoleWithWebIdentity|OpenIDConnect|InvalidIdentityToken|IDPCommunicationError|Incorrect token audience|your identity provider/.test(
      text,
    )
  )
    return 'aws'
  if (
    /ID Token|credential's issuer|discovery document|workloadIdentityPools|sts\.googleapis\.com|invalid_grant/.test(
      text,
    )
  )
    return 'gcp'
  return undefined
}

/** Whether nobody fetches the issuer's documents: Google alone reads it, and every provider that was seen has its keys uploaded. */
export const keysAreUploaded = (
  clouds: readonly FederatingCloud[],
  providers: { readonly items: readonly { readonly uploaded: boolean }[] } | undefined,
): boolean =>
  clouds.every((cloud) => cloud === 'gcp') &&
  providers !== undefined &&
  providers.items.length > 0 &&
  providers.items.every(({ uploaded }) => uploaded)
