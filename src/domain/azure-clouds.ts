/** Azure's clouds: their authorities, and what the webhook's configuration calls them. */

export type AzureCloud = 'AzurePublicCloud' | 'AzureUSGovernmentCloud' | 'AzureChinaCloud'

/** https://azure.github.io/azure-workload-identity/docs/installation/mutating-admission-webhook.html */
export const authorities: { readonly [C in AzureCloud]: readonly [string, ...string[]] } = {
  AzurePublicCloud: ['login.microsoftonline.com'],
  AzureUSGovernmentCloud: ['login.microsoftonline.us'],
  AzureChinaCloud: ['login.chinacloudapi.cn', 'login.partner.microsoftonline.cn'],
}
export const clouds = [
  'AzurePublicCloud',
  'AzureUSGovernmentCloud',
  'AzureChinaCloud',
] as const satisfies readonly AzureCloud[]

/** Where storage accounts answer: https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure */
export const blobHosts: { readonly [C in AzureCloud]: string } = {
  AzurePublicCloud: 'blob.core.windows.net',
  AzureUSGovernmentCloud: 'blob.core.usgovcloudapi.net',
  AzureChinaCloud: 'blob.core.chinacloudapi.cn',
}

export const authorityUrl = (cloud: AzureCloud): string => `https://${authorities[cloud][0]}/`
/** Whom SDKs ask where nothing names another one. */
export const usualAuthority = authorityUrl('AzurePublicCloud')

/** `https://login.microsoftonline.us/` → AzureUSGovernmentCloud. */
export function cloudOfAuthority(url: string): AzureCloud | undefined {
  const host = /^https:\/\/([^/:]+)/i.exec(url)?.[1]?.toLowerCase()
  return clouds.find((cloud) => host !== undefined && authorities[cloud].includes(host))
}

/** The cloud of a region: https://learn.microsoft.com/azure/azure-government/compare-azure-government-global-azure */
export function cloudOfLocation(location: string): AzureCloud {
  const plain = location.toLowerCase().replace(/\s/g, '')
  if (/^(?:usgov|usdod)/.test(plain)) return 'AzureUSGovernmentCloud'
  return /^china/.test(plain) ? 'AzureChinaCloud' : 'AzurePublicCloud'
}

/** The same authority, or another one of the same cloud: China has two. */
export const sameCloud = (a: string, b: string): boolean =>
  a.replace(/\/+$/, '').toLowerCase() === b.replace(/\/+$/, '').toLowerCase() ||
  (cloudOfAuthority(a) !== undefined && cloudOfAuthority(a) === cloudOfAuthority(b))
