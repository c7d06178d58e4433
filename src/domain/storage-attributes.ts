/** What of a volume of a CSI driver may be looked at: attributes that say whose identity it uses, never keys. */
import { isObject, type Json, type JsonObject } from '../core/json.ts'

/** In lower case: drivers read them without regard to case. */
const readable: ReadonlySet<string> = new Set([
  'clientid',
  'tenantid',
  'storageaccount',
  'storageaccountname',
  'resourcegroup',
  'containername',
  'azurestorageauthtype',
  'azurestorageidentityclientid',
  'azurestorageidentityobjectid',
  'azurestorageidentityresourceid',
  'mountwithworkloadidentitytoken',
  'protocol',
  'secretname',
  'secretnamespace',
  'authenticationsource',
  'stsregion',
  'bucketname',
  'mountoptions',
  'skipcsibucketaccesscheck',
  'hostnetworkpodksa',
  'identityprovider',
  'identitypool',
  'server',
  'sharename',
  'skuname',
  'type',
  'ishnsenabled',
  'secretproviderclass',
])

const longest = 512

/** The attributes that may be seen; of every other one its name. */
export function pickAttributes(attributes: Json | undefined): JsonObject {
  if (!isObject(attributes)) return {}
  const draft: { [name: string]: Json } = {}
  for (const [name, value] of Object.entries(attributes))
    draft[name] = typeof value === 'string' && value.length <= longest && readable.has(name.toLowerCase()) ? value : '…'
  return draft
}
