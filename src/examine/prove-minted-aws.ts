/** The proof of an AWS identity from outside: a minted token exchanged at STS, and whose session comes of it. */

import { audienceOf, awsAudience, roleAnnotation } from '../domain/audiences.ts'
import type { TokenName } from '../domain/questions.ts'
import { aws } from '../domain/questions.ts'
import type { Learned, Who } from './learn.ts'
import { compared } from './prove-aws.ts'
import { proveMinted } from './prove-minted.ts'
import { prove, type Run } from './proving.ts'
import { told } from './told.ts'
import type { Opened } from './world.ts'

/** The role, and what names it. */
export type Meant = { readonly roleArn: string; readonly by: string }

/** The minted token's own way: TokenRequest, claims, signature, STS, and whose session came of it. */
export async function exchangeMinted(run: Run, live: Opened, token: TokenName, { roleArn, by }: Meant): Promise<void> {
  const { attemptOf } = await import('../sources/live/pod-aws.ts')
  const { minted } = await proveMinted(run, live, token, { usual: awsAudience })
  let arn = ''
  const exchanged = await prove(
    run,
    'exchange',
    'STS exchanges the token for credentials',
    async () => {
      const got = attemptOf(await live.source.ask(aws.exchange(token, roleArn), run.stop))
      if (got.state === 'done') arn = got.told.arn ?? ''
      return told(got, () => `STS gives a session of ${roleArn}`, `STS refuses the token for ${roleArn}`)
    },
    minted,
  )
  await prove(run, 'who-am-i', 'Who the cloud says that this is', () => compared(arn, roleArn, by), exchanged)
}

/** Undefined where the ServiceAccount names no role. */
export function learnAws(live: Opened, who: Who, annotations: { readonly [key: string]: string }): Learned | undefined {
  const roleArn = annotations[roleAnnotation]
  if (roleArn === undefined || roleArn === '') return undefined
  const audience = audienceOf({ annotations })
  return {
    mechanism: 'web identity',
    expected: roleArn,
    outcome: {
      status: 'pass',
      says: 'web identity, by its annotation',
      details: [
        ['role', roleArn],
        ['audience', audience],
      ],
    },
    go: (run) => exchangeMinted(run, live, { ...who, audience }, { roleArn, by: `the annotation ${roleAnnotation}` }),
  }
}
