/** Annotations that were meant for azure.workload.identity/client-id, and values that were meant for a client id. */
import { azureClientAnnotation } from './audiences.ts'
import { editDistance } from './edit-distance.ts'

const plain = (key: string): string => key.toLowerCase().replace(/[-_.]/g, '')
const wordsIn = (key: string): string =>
  key
    .toLowerCase()
    .split(/[-_./]/)
    .sort()
    .join(' ')
const known: ReadonlySet<string> = new Set([
  'azure.workload.identity/tenant-id',
  'azure.workload.identity/use',
  'azure.workload.identity/service-account-token-expiration',
])

/** A key that is not the right one and was evidently meant to be. */
export const misspeltKey = (annotations: { readonly [key: string]: string }): string | undefined =>
  Object.keys(annotations).find(
    (key) =>
      key !== azureClientAnnotation &&
      !known.has(key) &&
      (plain(key) === plain(azureClientAnnotation) ||
        editDistance(key, azureClientAnnotation, 3) <= 3 ||
        wordsIn(key) === wordsIn(azureClientAnnotation)),
  )

export const isPlaceholder = (value: string): boolean =>
  /^\s*[<{$%[].*[>})%\]]?\s*$/.test(value) ||
  /\$\{?[A-Z_]|\{\{|^(?:YOUR|MY|REPLACE|CHANGE|INSERT|TODO|FIXME)\b|CLIENT[_-]?ID|your[-_ ]/i.test(value)
/** Somebody has hidden it, as people do with what they paste. */
export const isMaskedId = (value: string): boolean => /x{4,}|\*{3,}|#{4,}|\.{3}|…|redact|mask/i.test(value)
