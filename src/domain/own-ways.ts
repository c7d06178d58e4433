/** Ways of getting credentials that are no identity of the workload: keys, the node, what only ECS has; as options and variables show them. */
import { findOption, type Option } from './mounters.ts'

const keyVariables = [
  'AWS_ACCESS_KEY_ID',
  'AWSACCESSKEYID',
  'RCLONE_S3_ACCESS_KEY_ID',
  'AZURE_STORAGE_ACCESS_KEY',
  'AZURE_STORAGE_SAS_TOKEN',
  'AZURE_STORAGE_KEY',
  'RCLONE_AZUREBLOB_KEY',
]
const keyOptions = [
  'passwd_file',
  'access_key_id',
  'access-key',
  'account-key',
  'key-file',
  'service_account_file',
  'mode: key',
  'mode: sas',
]
const managed = ['mode: msi', 'use_msi=true', 'azure-storage-auth-type: msi']

const isThere = (options: readonly Option[], wanted: string): boolean => {
  const found = findOption(options, wanted)
  return found !== undefined && found !== 'hidden'
}

const ofAws: ReadonlySet<string> = new Set(['s3', 'ebs', 'efs'])

/** In the words of the table of mounters; where there are keys nowhere, what mounts a store of AWS asks the node. */
export function ownWays(options: readonly Option[], stores: readonly string[]): readonly string[] {
  if (options.some(({ name }) => keyVariables.includes(name)) || keyOptions.some((one) => isThere(options, one)))
    return ['static-keys']
  if (managed.some((one) => isThere(options, one))) return ['azure-managed-identity']
  if (isThere(options, 'ecs') || options.some(({ name }) => name === 'AWS_CONTAINER_CREDENTIALS_RELATIVE_URI'))
    return ['ecs-relative-uri']
  return stores.some((one) => ofAws.has(one)) ? ['node-metadata'] : []
}
