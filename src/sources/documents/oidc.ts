/** Recognises discovery documents and key sets, and knows which answer the world and which the API server gave. */
import { absent, type Fact, type Question } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { publicKeySet } from '../../domain/jwks.ts'
import { type Document, type Recogniser, told } from './document.ts'

export type KeySet = {
  readonly file: string
  readonly folder: string
  readonly document: JsonObject
  readonly isApiServers: boolean
}

export type OidcDocuments = Recogniser & {
  readonly keySets: () => readonly KeySet[]
  /** The published key set at this URI, as far as the folder tells. */
  readonly keysAt: (uri: string) => KeySet | undefined
}

/** Said by the file's name: what the API server itself answered, not what the world can fetch. */
const saysApiServer = ({ file }: Document): boolean => /apiserver|api-server|live/i.test(file.split('/').at(-1) ?? '')

const wellKnown = '/.well-known/openid-configuration'
/** https://openid.net/specs/openid-connect-discovery-1_0.html#ProviderConfig */
const locationOf = (issuer: string): string => `${issuer.replace(/\/$/, '')}${wellKnown}`

/** What the API server answered in a document's place, as `curl` prints it. */
type Refusal = {
  readonly of: 'discovery' | 'jwks'
  readonly status: number
  readonly isApiServers: boolean
  readonly document: JsonObject
}

function refusalIn(document: Document): Refusal | undefined {
  const { value, file } = document
  if (!isObject(value) || value.kind !== 'Status' || typeof value.code !== 'number') return undefined
  // A 401 does not repeat the path; then the file's name has to say what was asked for.
  const said = `${textAt(value, 'message') ?? ''} ${file.split('/').at(-1) ?? ''}`
  const of = /openid-configuration|discovery/i.test(said) ? 'discovery' : /jwks/i.test(said) ? 'jwks' : undefined
  return of && { of, status: value.code, isApiServers: saysApiServer(document), document: value }
}

export function oidcDocuments(): OidcDocuments {
  const refusals: Refusal[] = []
  const published: (KeySet & { readonly issuer: string })[] = []
  const keySets: KeySet[] = []

  const take = (document: Document): boolean => {
    const { value, file, folder } = document
    const refusal = refusalIn(document)
    if (refusal !== undefined) {
      refusals.push(refusal)
      return true
    }
    if (!isObject(value) || value.apiVersion !== undefined) return false
    const isApiServers = saysApiServer(document)
    const issuer = textAt(value, 'issuer')
    const isDiscovery =
      issuer !== undefined && (value.jwks_uri !== undefined || value.response_types_supported !== undefined)
    if (isDiscovery) published.push({ file, folder, document: value, issuer, isApiServers })
    else if (isList(value.keys) && value.keys.every((key) => textAt(key, 'kty') !== undefined))
      keySets.push({ file, folder, document: publicKeySet(value), isApiServers })
    else return false
    return true
  }

  const discoveryOf = (issuer: string) => {
    const open = published.filter(({ isApiServers }) => !isApiServers)
    return open.find((one) => one.issuer === issuer) ?? (open.length === 1 ? open[0] : undefined)
  }

  const keysAt = (uri: string): KeySet | undefined => {
    const open = keySets.filter(({ isApiServers }) => !isApiServers)
    if (open.length === 1) return open[0]
    const named = published.find(({ document }) => document.jwks_uri === uri)
    const beside = open.filter(({ folder }) => folder === named?.folder)
    return named !== undefined && beside.length === 1 ? beside[0] : undefined
  }

  const refused = (of: Refusal['of'], url: string, question: Question): Fact<Json> | undefined => {
    const found = refusals.find((one) => one.of === of && !one.isApiServers)
    return (
      found && told({ url, status: found.status, contentType: 'application/json', document: found.document }, question)
    )
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    const { system, call, input } = question
    if (system === 'kubernetes') {
      const of: Refusal['of'] | undefined =
        call === `nonresource ${wellKnown}/get`
          ? 'discovery'
          : call === 'nonresource /openid/v1/jwks/get'
            ? 'jwks'
            : undefined
      if (of === undefined) return undefined
      const own = (of === 'discovery' ? published : keySets).filter(({ isApiServers }) => isApiServers)
      if (own.length === 1 && own[0] !== undefined) return told(own[0].document, question)
      const isOff = refusals.some((one) => one.of === of && one.isApiServers && one.status === 404)
      return own.length === 0 && isOff ? Object.freeze(absent(question)) : undefined
    }
    if (system !== 'oidc') return undefined
    if (call === 'discovery') {
      const issuer = textAt(input, 'issuer') ?? ''
      const found = discoveryOf(issuer)
      if (found === undefined) return refused('discovery', locationOf(issuer), question)
      const url = locationOf(issuer || found.issuer)
      return told({ url, status: 200, contentType: 'application/json', document: found.document }, question)
    }
    if (call === 'documents') {
      const open = published.filter(({ isApiServers }) => !isApiServers)
      return told({ documents: open.map(({ issuer, document }) => ({ issuer, document })) }, question)
    }
    if (call === 'jwks') {
      const uri = textAt(input, 'uri') ?? ''
      const found = keysAt(uri)
      if (found === undefined) return refused('jwks', uri, question)
      return told(
        { url: uri || found.file, status: 200, contentType: 'application/jwk-set+json', document: found.document },
        question,
      )
    }
    return undefined
  }

  return { take, answer, keySets: () => keySets, keysAt }
}
