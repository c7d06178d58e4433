/** Recognises what az, the resource manager, Graph and Terraform print of clusters, identities, credentials, roles and storage accounts. */
import { type Fact, type Question, unknown } from '../../core/fact.ts'
import { isList, isObject, type Json, type JsonObject, textAt } from '../../core/json.ts'
import { azure } from '../../domain/questions.ts'
import {
  accountIn,
  applicationIn,
  applicationOf,
  assignmentOf,
  bindingOf,
  clusterIn,
  credentialOf,
  identityOf,
  isApplication,
  isPrincipal,
  principalOf,
  terraformIn,
} from './azure-shapes.ts'
import { type Document, type Recogniser, told } from './document.ts'

const calls = {
  cluster: azure.cluster().call,
  identities: azure.managedIdentities().call,
  application: azure.application('').call,
  principal: azure.servicePrincipal('').call,
  credentials: azure.federatedIdentityCredentials().call,
  assignments: azure.roleAssignments().call,
  account: azure.storageAccount('').call,
  bindings: azure.identityBindings().call,
} as const

const sameText = (a: string | undefined, b: string | undefined): boolean =>
  a !== undefined && b !== undefined && a.toLowerCase() === b.toLowerCase()

export function azureDocuments(): Recogniser {
  const clusters: JsonObject[] = []
  const identities: JsonObject[] = []
  const applications: JsonObject[] = []
  const principals: JsonObject[] = []
  const credentials: JsonObject[] = []
  const assignments: JsonObject[] = []
  const accounts: JsonObject[] = []
  const bindings: JsonObject[] = []
  /** Kinds of which a whole list was printed, and identities of which all credentials were. */
  const whole = new Set<'identities' | 'assignments' | 'bindings' | 'credentials'>()
  const listed = new Set<string>()

  const takeOne = (value: Json, stem: string, ofList: boolean, owner?: string): boolean => {
    if (!isObject(value) || value.apiVersion !== undefined) return false
    const put = (shelf: JsonObject[], one: JsonObject | undefined, kind?: Parameters<typeof whole.add>[0]): boolean => {
      if (one === undefined) return false
      shelf.push(one)
      if (ofList && kind !== undefined) whole.add(kind)
      return true
    }
    if (put(clusters, clusterIn(value)) || put(accounts, accountIn(value))) return true
    if (put(bindings, bindingOf(value), 'bindings') || put(identities, identityOf(value), 'identities')) return true
    const credential = credentialOf(value, owner ?? stem)
    if (credential !== undefined) {
      credentials.push(owner === undefined ? credential : { identity: owner, ...credential })
      if (ofList) {
        whole.add('credentials')
        listed.add(textAt(credential, 'identity') ?? owner ?? '')
      }
      return true
    }
    if (put(assignments, assignmentOf(value), 'assignments')) return true
    if (isPrincipal(value)) return put(principals, principalOf(value))
    return isApplication(value) && put(applications, applicationOf(value))
  }

  /** az prints nothing but brackets for a list without members; the file's name says of what. */
  const takeEmpty = (stem: string, owner: string | undefined): boolean => {
    if (/fic|federated|credential/i.test(stem) || owner !== undefined) {
      whole.add('credentials')
      listed.add(owner ?? '')
    } else if (/role-?assign/i.test(stem)) whole.add('assignments')
    else if (/binding/i.test(stem)) whole.add('bindings')
    else if (/identit/i.test(stem)) whole.add('identities')
    else return false
    return true
  }

  const take = ({ value, stem, ofList }: Document): boolean => {
    if (isList(value)) return value.length === 0 && takeEmpty(stem, undefined)
    if (!isObject(value)) return false
    const states = terraformIn(value)
    if (states !== undefined) return states.map((one) => takeOne(one, '', false)).some(Boolean)
    if (isList(value.value) && value.apiVersion === undefined) {
      const owner = applicationIn(textAt(value, '@odata.context'))
      const isWhole = value.nextLink === undefined && value['@odata.nextLink'] === undefined
      return value.value.length === 0
        ? takeEmpty(stem, owner)
        : value.value.map((one) => takeOne(one, stem, isWhole, owner)).every(Boolean)
    }
    return takeOne(value, stem, ofList === true)
  }

  const byAppId = (shelf: readonly JsonObject[], question: Question): Fact<Json> | undefined => {
    const found = shelf.find((one) => sameText(textAt(one, 'appId'), textAt(question.input, 'appId')))
    return found === undefined ? undefined : told(found, question)
  }
  const list = (shelf: readonly JsonObject[], member: string, complete: boolean, question: Question) =>
    shelf.length === 0 && !complete ? undefined : told({ [member]: shelf, complete }, question)

  const cluster = (question: Question): Fact<Json> | undefined => {
    const [first, ...others] = clusters
    if (first === undefined) return undefined
    if (others.some((one) => !sameText(textAt(one, 'name'), textAt(first, 'name'))))
      return unknown(
        'not-collected',
        'the documents hold several clusters of Azure and do not say which one is examined',
        question,
      )
    return told(others.at(-1) ?? first, question)
  }

  const answer = (question: Question): Fact<Json> | undefined => {
    if (question.system !== 'azure') return undefined
    switch (question.call) {
      case calls.cluster:
        return cluster(question)
      case calls.identities:
        return list(identities, 'identities', whole.has('identities'), question)
      case calls.application:
        return byAppId(applications, question)
      case calls.principal:
        return byAppId(principals, question)
      case calls.credentials:
        return credentials.length === 0 && !whole.has('credentials')
          ? undefined
          : told({ credentials, complete: whole.has('credentials'), listed: [...listed] }, question)
      case calls.assignments:
        return list(assignments, 'assignments', whole.has('assignments'), question)
      case calls.account: {
        const found = accounts.find((one) => sameText(textAt(one, 'name'), textAt(question.input, 'name')))
        return found === undefined ? undefined : told(found, question)
      }
      case calls.bindings:
        return list(bindings, 'bindings', whole.has('bindings'), question)
      default:
        return undefined
    }
  }

  return { take, answer }
}
