/** How long a session of the role may last; asked only where STS said that one was too long. */
import { absent, defineProbe, type Fact, onward, reading, type Soon } from '../../core/fact.ts'
import { at } from '../../core/json.ts'
import { aws, seen } from '../../domain/questions.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { roleReference } from './role-reference.ts'

export const exceedsMaximum = (text: string): boolean =>
  /DurationSeconds exceeds the MaxSessionDuration set for this role/.test(text)

export const sessionLimit = defineProbe({
  id: 'aws/session-limit',
  about: 'the longest session of the role',
  scope: 'service-account',
  needs: {},
  wants: { errorsOfServiceAccount, roleReference },
  ask: (_have, { errorsOfServiceAccount, roleReference }, inquiry): Soon<Fact<number>> => {
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const arn = roleReference.state === 'known' ? roleReference.value.arn : undefined
    if (arn === undefined || !errors.some(({ text }) => exceedsMaximum(text))) return absent(seen.errors())
    return onward(inquiry.ask(aws.role(arn.account, arn.name)), (answer) =>
      reading(answer, (json) => {
        const seconds = at(json, 'Role', 'MaxSessionDuration')
        return typeof seconds === 'number' ? seconds : undefined
      }),
    )
  },
})
