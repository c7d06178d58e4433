/** What AWS was seen to refuse to whoever sets identity up. */
import { absent, defineProbe, type Fact, known, onward, reading, type Soon } from '../../core/fact.ts'
import { listAt, textAt } from '../../core/json.ts'
import { isProgramSession } from '../../domain/aws-callers.ts'
import { aws, seen } from '../../domain/questions.ts'
import { observedErrors } from '../cluster/observed-errors.ts'
import { type Refused, refusedIn } from './refused.ts'

const setUp =
  /^(?:iam:(?:PassRole|CreateRole|UpdateAssumeRolePolicy|\w*OpenIDConnectProvider\w*)|eks:(?:Create|Update|Delete)PodIdentityAssociation)$/
const ofMachines = /\bfleet\b|RunInstances|launch template|instance profile|NodeClaim|\bec2:/i
const named: ReadonlySet<string> = new Set(['iam:PassRole', 'iam:TagOpenIDConnectProvider'])

/** The calls that have a message of their own come first. */
export const setUpRefused = defineProbe({
  id: 'aws/set-up-refused',
  about: 'a call of the set-up that AWS refused',
  scope: 'cluster',
  needs: {},
  wants: { observedErrors },
  ask: (_have, { observedErrors }): Fact<Refused> => {
    const all = refusedIn(observedErrors.state === 'known' ? observedErrors.value : []).filter(
      // A program that passes a role makes machines or the like with it.
      ({ action, caller, text }) =>
        setUp.test(action) &&
        !(action === 'iam:PassRole' && (ofMachines.test(text) || (caller !== undefined && isProgramSession(caller)))),
    )
    const found = all.find(({ action }) => named.has(action)) ?? all[0]
    return found === undefined ? absent(seen.errors()) : known(found, seen.errors())
  },
})

/** allowed, implicitDeny or explicitDeny; asked only where such a call was refused and its text says no more. */
export const setUpSimulated = defineProbe({
  id: 'aws/set-up-simulated',
  about: 'what IAM would say of the refused call of the set-up today',
  scope: 'cluster',
  needs: {},
  wants: { setUpRefused },
  ask: (_have, { setUpRefused }, inquiry): Soon<Fact<string>> => {
    if (setUpRefused.state !== 'known') return absent(seen.errors())
    const { caller, action, who, resource = '*' } = setUpRefused.value
    if (caller === undefined || named.has(action)) return absent(seen.errors())
    const arn =
      caller.kind === 'user' ? who : `arn:${who.split(':')[1] ?? 'aws'}:iam::${caller.account}:role/${caller.name}`
    return onward(inquiry.ask(aws.simulation(caller.account, arn, action, resource)), (answer) =>
      reading(answer, (json) => textAt(listAt(json, 'EvaluationResults')[0], 'EvalDecision')),
    )
  },
})
