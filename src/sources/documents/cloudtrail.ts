/** Reads records of CloudTrail: what AWS refused, to whom, in the words of its answer. */
import { at, isList, isObject, type Json, textAt } from '../../core/json.ts'

const mostRecords = 500

/** The records of a document: of a file that CloudTrail delivers, of `aws cloudtrail lookup-events`, or one alone; undefined for what is none. */
function recordsIn(value: Json): readonly Json[] | undefined {
  const isRecord = (one: Json): boolean =>
    isObject(one) && typeof one.eventSource === 'string' && typeof one.eventName === 'string'
  const records = at(value, 'Records')
  if (isList(records) && records.length > 0 && records.every(isRecord)) return records
  const events = at(value, 'Events')
  if (isList(events) && events.length > 0)
    return events.every((one) => textAt(one, 'CloudTrailEvent') !== undefined)
      ? events.flatMap((one) => parsed(textAt(one, 'CloudTrailEvent') ?? '')).filter(isRecord)
      : undefined
  return isRecord(value) ? [value] : undefined
}

/** CloudTrail gives each record as a text of JSON there. */
function parsed(text: string): readonly Json[] {
  try {
    const value: Json = JSON.parse(text)
    return [value]
  } catch {
    return []
  }
}

/** What each record says went wrong, with the subject of the token that the caller came with; undefined for what is no record. */
export function trailIn(value: Json): readonly string[] | undefined {
  return recordsIn(value)
    ?.slice(0, mostRecords)
    .flatMap((record) => {
      const code = textAt(record, 'errorCode')
      if (code === undefined) return []
      const user = textAt(record, 'userIdentity', 'userName') ?? ''
      const who = user.startsWith('system:serviceaccount:') ? ` (${user})` : ''
      return [`${code}: ${textAt(record, 'errorMessage') ?? textAt(record, 'eventName') ?? ''}${who}`]
    })
}
