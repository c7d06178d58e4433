/** Recognises IAM OIDC providers and lists of them, and knows of which accounts all are shown. */
import { absent, type Fact, type Question } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, listAt, textAt } from '../../core/json.ts'
import { accountOf, type Document, type Recogniser, told } from './document.ts'

type Provider = { readonly account?: string; readonly url: string; readonly answer: JsonObject }

const providerArn = /^arn:([^:]*):iam::([^:]*):oidc-provider\/(.*)$/

export function awsProviders(): Recogniser {
  const providers: Provider[] = []
  /** By account: the ARNs of its list, which is complete. The empty text: a list that names no account. */
  const lists = new Map<string, Set<string>>()

  const take = (document: Document): boolean => {
    const { value } = document
    if (!isObject(value)) return false
    const account = accountOf(document)
    const url = textAt(value, 'Url')
    if (url !== undefined && isList(value.ClientIDList)) {
      const Url = url.replace(/^https:\/\//, '')
      const answer = {
        Url,
        ClientIDList: value.ClientIDList,
        ...(isList(value.ThumbprintList) ? { ThumbprintList: value.ThumbprintList } : {}),
        ...(isList(value.Tags) ? { Tags: value.Tags } : {}),
      }
      providers.push({ url: Url, answer, ...(account === undefined ? {} : { account }) })
      return true
    }
    if (!isList(value.OpenIDConnectProviderList)) return false
    const arns = listAt(value, 'OpenIDConnectProviderList').flatMap((one) => textAt(one, 'Arn') ?? [])
    const own = account ?? providerArn.exec(arns[0] ?? '')?.[2] ?? ''
    const list = lists.get(own) ?? new Set()
    for (const arn of arns) list.add(arn)
    lists.set(own, list)
    return true
  }

  const one = (question: Question): Fact<Json> | undefined => {
    const arn = textAt(question.input, 'OpenIDConnectProviderArn') ?? ''
    const [, , account, url] = providerArn.exec(arn) ?? []
    const same = providers.filter((provider) => provider.url === url)
    const found =
      same.find((provider) => provider.account === account) ?? same.find((provider) => provider.account === undefined)
    if (found !== undefined) return told(found.answer, question)
    const list = lists.get(account ?? '')
    return list === undefined || list.has(arn) ? undefined : Object.freeze(absent(question))
  }

  /** Provider documents stand for their ARN, whose partition they do not tell: that of the account's other ARNs, else `aws`. */
  const arnOf = ({ url }: Provider, account: string): string => {
    const partition = [...(lists.get(account) ?? [])].map((arn) => providerArn.exec(arn)?.[1])[0] ?? partitionOf(url)
    return `arn:${partition}:iam::${account}:oidc-provider/${url}`
  }

  const all = (question: Question): Fact<Json> | undefined => {
    const asked = textAt(question.input, 'account')
    const accounts = new Set([...lists.keys(), ...providers.flatMap(({ account }) => account ?? [])])
    const wanted = asked === undefined ? [...accounts] : accounts.has(asked) ? [asked] : []
    if (wanted.length === 0) return undefined
    const arns = new Set<string>()
    for (const account of wanted) {
      for (const arn of lists.get(account) ?? []) arns.add(arn)
      for (const provider of providers) if (provider.account === account) arns.add(arnOf(provider, account))
    }
    const complete = wanted.every((account) => lists.has(account))
    return told({ OpenIDConnectProviderList: [...arns].map((Arn) => ({ Arn })), complete }, question)
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.call === 'iam:GetOpenIDConnectProvider') return one(question)
    return question.call === 'iam:ListOpenIDConnectProviders' ? all(question) : undefined
  }

  return { take, answer }
}

const partitionOf = (url: string): string => {
  if (/\.amazonaws\.com\.cn(?:\/|$)/.test(url)) return 'aws-cn'
  return /\.us-gov-[a-z]+-\d\.amazonaws\.com(?:\/|$)/.test(url) ? 'aws-us-gov' : 'aws'
}
