/** The directory of the tenant as Microsoft Graph shows it: applications, their credentials, and service principals. */
import { absent, type Fact, known, type Question, unknown } from '../../core/fact.ts'
import { isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { isGuid } from '../../domain/guid.ts'
import { azure } from '../../domain/questions.ts'
import { applicationOf, credentialOf, principalOf } from '../documents/azure-shapes.ts'
import { answerOf } from './azure-answers.ts'
import { listAll } from './azure-lists.ts'
import type { AzureRest } from './azure-rest.ts'

/** The credentials of an application; absent where the directory has none of this id. */
export async function ofApplication(
  rest: AzureRest,
  appId: string,
  question: Question,
  until: AbortSignal | undefined,
): Promise<Fact<Json>> {
  const path = `applications(appId='${appId}')/federatedIdentityCredentials`
  let list = await listAll(rest, 'graph', `/v1.0/${path}`, question, until)
  // Only beta shows the expressions of flexible ones.
  if ('items' in list && list.items.some((one) => textAt(one, 'subject') === undefined))
    list = await listAll(rest, 'graph', `/beta/${path}`, question, until)
  if ('unseen' in list) return list.unseen
  if ('missing' in list) return absent(question)
  const read = list.items.flatMap((one): readonly JsonObject[] => [credentialOf(one, appId) ?? []].flat())
  const all = read.map((one) => ({ ...one, identity: appId }))
  return known({ credentials: all, complete: list.complete, listed: list.complete ? [appId] : [] }, question)
}

/** One object of the directory by its appId. */
const inDirectory =
  (rest: AzureRest, until: AbortSignal | undefined) =>
  (kind: string, fields: string, read: (json: JsonObject) => JsonObject) =>
  async (question: Question): Promise<Fact<Json>> => {
    const appId = textAt(question.input, 'appId') ?? ''
    if (!isGuid(appId)) return unknown('not-asked', 'what is named is no client id', question)
    const path = `/v1.0/${kind}(appId='${appId}')?$select=${fields}`
    const answer = answerOf(await rest.send('graph', path, { signal: until }), question)
    if ('unseen' in answer) return answer.unseen
    if ('missing' in answer) return absent(question)
    const { json } = answer
    return isObject(json) && json.appId !== undefined
      ? known(read(json), question)
      : unknown('malformed', 'Graph answered with something else than was asked for', question)
  }

type Calls = { readonly [call: string]: (question: Question) => Promise<Fact<Json>> }

export function directoryCalls(rest: AzureRest, until: AbortSignal | undefined): Calls {
  const from = inDirectory(rest, until)
  return {
    [azure.application('').call]: from('applications', 'appId,id,displayName', applicationOf),
    [azure.servicePrincipal('').call]: from(
      'servicePrincipals',
      'appId,id,displayName,accountEnabled,servicePrincipalType,alternativeNames,appOwnerOrganizationId',
      principalOf,
    ),
  }
}
