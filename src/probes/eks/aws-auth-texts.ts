/** The texts of ConfigMap kube-system/aws-auth as they stand, and the entries of whoever looks. */
import { absent, defineProbe, type Fact, known, reading } from '../../core/fact.ts'
import { at, isObject, type JsonObject, textAt } from '../../core/json.ts'
import { parseCaller } from '../../domain/arn.ts'
import { aws, kubernetes } from '../../domain/questions.ts'
import { awsAuth } from './aws-auth.ts'

export const awsAuthTexts = defineProbe({
  id: 'eks/aws-auth-texts',
  about: 'the texts of ConfigMap kube-system/aws-auth',
  scope: 'cluster',
  needs: { awsAuth },
  wants: {},
  only: 'awsAuth',
  ask: async (_have, _want, { ask }): Promise<Fact<JsonObject>> => {
    return reading(await ask(kubernetes.get('configmaps', 'kube-system', 'aws-auth')), (json) => {
      const data = at(json, 'data')
      return isObject(data) ? data : {}
    })
  },
})

/** The name of the role or user that the credentials at hand belong to, with its account; absent for the root user. */
export const ownPrincipal = defineProbe({
  id: 'eks/own-principal',
  about: 'whose credentials these are',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: async (_have, _want, { ask }): Promise<Fact<{ readonly account: string; readonly name: string }>> => {
    const answer = await ask(aws.callerIdentity())
    if (answer.state !== 'known') return answer
    const caller = parseCaller(textAt(answer.value, 'Arn') ?? '')
    if (caller === undefined || !('name' in caller)) return absent(answer.from)
    return known({ account: caller.account, name: caller.name }, answer.from)
  },
})
