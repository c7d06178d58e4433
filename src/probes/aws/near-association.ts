/** The association whose name is nearly that of the ServiceAccount, with its role; asked only where something is to be done about it. */
import { absent, defineProbe, type Fact, onward, reading, type Soon } from '../../core/fact.ts'
import { textAt } from '../../core/json.ts'
import { type Account, accountOf } from '../../domain/advice.ts'
import { editDistance } from '../../domain/edit-distance.ts'
import { aws } from '../../domain/questions.ts'
import { associations, type SeenAssociation } from './associations.ts'

export const isNear =
  (account: Account) =>
  ({ namespace, serviceAccount }: SeenAssociation): boolean =>
    namespace === account.namespace
      ? serviceAccount !== account.serviceAccount && editDistance(serviceAccount, account.serviceAccount, 2) <= 2
      : serviceAccount === account.serviceAccount && editDistance(namespace, account.namespace, 2) <= 2

/** ARN of the role. Absent where no association, or more than one, is near. */
export const nearRole = defineProbe({
  id: 'aws/near-association-role',
  about: 'the role of the association that was evidently meant for the ServiceAccount',
  scope: 'service-account',
  needs: {},
  wants: { associations },
  ask: (_have, { associations }, { subject, ask }): Soon<Fact<string>> => {
    const question = aws.podIdentityAssociations()
    const near = associations.state === 'known' ? associations.value.items.filter(isNear(accountOf(subject))) : []
    const [only, ...others] = near
    if (only?.id === undefined || others.length > 0) return absent(question)
    return onward(ask(aws.podIdentityAssociation(only.id)), (answer) =>
      reading(answer, (json) => textAt(json, 'association', 'roleArn')),
    )
  },
})
