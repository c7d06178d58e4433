/** What Azure answered, as JSON or as why it could not be seen. */
import { type Question, type Unknown, unknown } from '../../core/fact.ts'
import { type Json, textAt } from '../../core/json.ts'
import { permissionOf, permissionWords } from '../../knowledge/permissions.ts'
import type { NotSignedIn } from './azure-rest.ts'
import { plain } from './trouble.ts'
import type { NoReply, Reply } from './wire.ts'

export const signInToAzure = 'sign in to Azure: `az login` (`az account show` must work)'

/** The JSON of an answer; undefined where there is none. */
export function jsonOf({ body }: Reply): Json | undefined {
  try {
    const json: Json = JSON.parse(body.toString('utf8'))
    return json
  } catch {
    return undefined
  }
}

/** Code and message of ARM and of Graph, made plain. */
export function refusalIn(reply: Reply): { readonly code: string; readonly message: string } {
  const json = jsonOf(reply) ?? null
  return {
    code: plain(textAt(json, 'error', 'code') ?? textAt(json, 'code') ?? ''),
    message: plain(textAt(json, 'error', 'message') ?? textAt(json, 'message') ?? ''),
  }
}

export type Answer = { readonly json: Json } | { readonly missing: true } | { readonly unseen: Unknown }

/** 404 is an absence of what was asked for; whatever else is no success says nothing about it. */
export function answerOf(reply: Reply | NoReply | NotSignedIn, question: Question): Answer {
  if ('unsigned' in reply) return { unseen: unknown('unauthenticated', reply.unsigned, question, signInToAzure) }
  if ('trouble' in reply) {
    const { trouble, detail } = reply
    const why = trouble === 'timeout' || trouble === 'cancelled' ? trouble : 'unreachable'
    return {
      unseen: unknown(
        why,
        `Azure could not be reached: ${detail}`,
        question,
        'a way to the endpoints of Azure (network, proxy)',
      ),
    }
  }
  const { status } = reply
  if (status >= 200 && status < 300) {
    const json = status === 204 ? null : jsonOf(reply)
    return json === undefined
      ? { unseen: unknown('malformed', 'Azure answered with something that is no JSON', question) }
      : { json }
  }
  const { code, message } = refusalIn(reply)
  const said = [code, message].filter((one) => one !== '').join(': ') || `HTTP ${status}`
  // A resource group or subscription that cannot be seen is answered with 404, too: only the thing itself is absent.
  if (
    status === 404 &&
    !/^(?:SubscriptionNotFound|ResourceGroupNotFound|InvalidResourceType|NoRegisteredProviderFound)/.test(code)
  )
    return { missing: true }
  if (status === 401) return { unseen: unknown('unauthenticated', said, question, signInToAzure) }
  if (status === 403) return { unseen: unknown('forbidden', said, question, permissionWords(permissionOf(question))) }
  if (status === 429) return { unseen: unknown('throttled', said, question, 'ask again later') }
  return { unseen: unknown(status >= 500 ? 'unreachable' : 'malformed', said, question, 'ask again later') }
}
