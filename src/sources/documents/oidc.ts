/** Recognises discovery documents and key sets, and knows which answer the world and which the API server gave. */
import type { Fact, Question } from '../../core/fact.ts'
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

export function oidcDocuments(): OidcDocuments {
  const published: (KeySet & { readonly issuer: string })[] = []
  const keySets: KeySet[] = []

  const take = (document: Document): boolean => {
    const { value, file, folder } = document
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

  const answer = (question: Question): Fact<Json> | undefined => {
    const { system, call, input } = question
    if (system === 'kubernetes') {
      const shelf =
        call === `nonresource ${wellKnown}/get` ? published : call === 'nonresource /openid/v1/jwks/get' ? keySets : []
      const own = shelf.filter(({ isApiServers }) => isApiServers)
      return own.length === 1 && own[0] !== undefined ? told(own[0].document, question) : undefined
    }
    if (system !== 'oidc') return undefined
    if (call === 'discovery') {
      const issuer = textAt(input, 'issuer') ?? ''
      const found = discoveryOf(issuer)
      if (found === undefined) return undefined
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
      if (found === undefined) return undefined
      return told(
        { url: uri || found.file, status: 200, contentType: 'application/jwk-set+json', document: found.document },
        question,
      )
    }
    return undefined
  }

  return { take, answer, keySets: () => keySets, keysAt }
}
