/** The two ways into an EKS cluster side by side: which of them counts, what each holds, and whether all of it was seen. */
import { absent, defineProbe, type Fact, known, type Unknown } from '../../core/fact.ts'
import type { AwsAuth } from '../../domain/aws-auth.ts'
import { aws } from '../../domain/questions.ts'
import { type AccessEntries, accessEntries } from './access-entries.ts'
import { awsAuthMap } from './aws-auth.ts'
import { type Mode, mode } from './mode.ts'

export type Doors = {
  readonly mode?: Mode
  /** What aws-auth holds, where it was seen and counts. */
  readonly map?: AwsAuth
  /** What is not in `map` is mapped nowhere in aws-auth. */
  readonly mapIsAll: boolean
  readonly entries: AccessEntries['entries']
  readonly entriesAreAll: boolean
  readonly unseen: readonly Unknown[]
}

/** Absent where nobody asked about the cluster, or neither way was seen at all; never unknown. */
export const doors = defineProbe({
  id: 'eks/doors',
  about: 'aws-auth and the access entries',
  scope: 'cluster',
  needs: {},
  wants: { mode, awsAuthMap, accessEntries },
  ask: (_have, { mode, awsAuthMap, accessEntries }, { subject }): Fact<Doors> => {
    const from = aws.accessEntries()
    const said = mode.state === 'known' ? mode.value : undefined
    if (subject.whole !== true) return absent(from)
    if (said === undefined && awsAuthMap.state !== 'known' && accessEntries.state !== 'known') return absent(from)
    const seen = accessEntries.state === 'known' ? accessEntries.value : undefined
    const map = said !== 'API' && awsAuthMap.state === 'known' ? { map: awsAuthMap.value } : {}
    return known(
      {
        ...(said === undefined ? {} : { mode: said }),
        ...map,
        mapIsAll: said === 'API' || awsAuthMap.state !== 'unknown',
        entries: seen?.entries ?? [],
        entriesAreAll: said === 'CONFIG_MAP' || seen?.complete === true,
        unseen: [awsAuthMap, accessEntries, mode].filter((fact) => fact.state === 'unknown'),
      },
      from,
    )
  },
})
