/** Whether the identity holds a role for what the application does. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { held, ofError, quote } from '../../probes/azure/evidence.ts'
import { type Assignment, denied, managesOnly, reaches, readsBlobs, roles } from '../../probes/azure/roles.ts'
import { azureUse } from '../../probes/azure/use.ts'

type Data = {
  readonly principalId: string
  readonly scope: string
  readonly observed: string
  /** `storage`, or `another`. */
  readonly service?: string
}

const reader = 'Storage Blob Data Reader'
const assignTo = (principalId: string, scope: string): string =>
  advice(
    `Give the identity the smallest data role that does, at the container or the account (${reader} unless it has to write; PRINCIPAL_ID and SCOPE where they were not seen). It counts after some minutes.`,
    sh`az role assignment create --assignee-object-id ${isId(principalId) ? principalId : 'PRINCIPAL_ID'} --assignee-principal-type ServicePrincipal --role ${reader} --scope ${scope.startsWith('/') ? scope : 'SCOPE'}`,
  )
const assign = ({ principalId, scope }: Data): string => assignTo(principalId, scope)
const admit = (data: Data): string =>
  data.service === 'another'
    ? advice(
        'Give the identity the smallest data role that the service has for it (Key Vault Secrets User, AcrPull, Azure Service Bus Data Receiver), on that one resource; a vault with access policies takes an access policy instead. It counts after some minutes.',
        sh`az role assignment list --assignee ${isId(data.principalId) ? data.principalId : 'PRINCIPAL_ID'} --all`,
      )
    : assign(data)
const isId = (text: string): boolean => /^[0-9a-f-]{36}$/i.test(text)

export const check = defineCheck({
  meta: {
    id: 'azure/identity-has-role',
    title: 'The identity holds a role for what the application does',
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Roles',
    why: 'A token that Entra gives out opens nothing by itself; data of a storage account needs a data role, which Owner and Contributor are none of.',
    fix: {
      safety: 'review',
      does: 'Assign one data role to the principal id (--assignee-principal-type ServicePrincipal) at the smallest scope that the evidence names. Never Owner, never above the resource.',
    },
    links: [
      'https://github.com/Azure/azure-sdk-for-js/issues/23820',
      'https://github.com/cert-manager/cert-manager/issues/5745',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: { denied },
  wants: { roles },
  after: ['azure/token-exchange-succeeds'],
  messages: {
    'assigned-to-client-id': ({ role, scope, observed, expected }: Data & { role: string; expected: string }) =>
      `role ${role} at ${scope} is assigned to ${observed}, the client id; expected principal id ${expected}`,
    'control-plane-only': ({ principalId, observed, scope, expected }: Data & { expected: string }) =>
      `identity ${principalId} has only ${observed} at ${scope}, which manage the account but read no data; expected ${expected}`,
    'data-role-missing': ({ principalId, scope, observed }: Data) =>
      `identity ${principalId} has no role with blob data actions at ${scope} or above; it has ${observed}`,
    'data-denied': ({ observed }: Data) =>
      `the data plane refuses the identity: ${observed}; the token is accepted, a data role is missing or too young`,
    'action-denied': ({ action, scope, principalId }: Data & { action: string }) =>
      `ARM refuses ${action} on ${scope} to ${principalId}`,
  },
  remedies: {
    'assigned-to-client-id': ({ expected, scope }) => assignTo(expected, scope),
    'control-plane-only': assign,
    'data-role-missing': assign,
    'data-denied': admit,
    'action-denied': ({ action, scope, principalId }) =>
      advice(
        `Give ${principalId} a role that holds ${action} on exactly this resource; the command lists those that it has.`,
        sh`az role assignment list --assignee ${isId(principalId) ? principalId : 'PRINCIPAL_ID'} --scope ${scope.startsWith('/') ? scope : 'SCOPE'} --include-inherited`,
      ),
  },
  judge: ({ have: { denied }, want: { roles } }) => {
    if (denied.state === 'absent')
      return { status: 'not-applicable', reason: 'nothing was refused to the identity, and no resource was named' }
    const { error, kind, action, scope, account, principal } = denied.value
    const seen = held(roles)
    const see = (one: Assignment): Evidence => ({
      question: roles.from,
      path: `assignments["${one.role}"]`,
      observed: one.scope,
    })
    const where = scope ?? (account === undefined ? 'the storage account' : `storage account ${account}`)
    const data: Data = { principalId: principal ?? seen?.principalId ?? 'the identity', scope: where, observed: 'none' }
    if (kind === 'action')
      return action === undefined && scope === undefined && principal === undefined
        ? {
            status: 'undecided',
            lacks: 'which action was refused to whom, the text does not say',
            evidence: [ofError(error)],
          }
        : {
            status: 'fail',
            message: 'action-denied',
            data: { ...data, action: action ?? 'an action' },
            evidence: [ofError(error)],
          }
    if (seen === undefined || kind === 'other')
      return {
        status: 'fail',
        message: 'data-denied',
        data: { ...data, observed: quote(error.text), service: kind === 'other' ? 'another' : 'storage' },
        evidence: [ofError(error)],
      }
    const own = seen.own.filter((one) => reaches(one, account))
    const reading = own.filter(readsBlobs)
    if (reading[0] !== undefined)
      return seen.assumed
        ? {
            status: 'undecided',
            lacks: 'whose roles those are that were seen is not known',
            evidence: reading.slice(0, 5).map(see),
          }
        : { status: 'pass', evidence: [...reading.slice(0, 5).map(see), ofError(error)] }
    const wrong = seen.misplaced.find((one) => readsBlobs(one) && reaches(one, account))
    if (wrong !== undefined)
      return {
        status: 'fail',
        message: 'assigned-to-client-id',
        data: {
          ...data,
          role: wrong.role,
          scope: wrong.scope,
          observed: wrong.principalId,
          expected:
            principal ??
            (isId(seen.principalId) && seen.principalId !== wrong.principalId ? seen.principalId : 'PRINCIPAL_ID'),
        },
        evidence: [see(wrong), ofError(error)],
      }
    // A custom role may have what the built-in ones have not.
    const custom = own.find(
      (one) =>
        !managesOnly(one) && !/^(?:Storage|Key Vault|Acr|AcrPull|Azure|DNS|Managed Identity|Network)/i.test(one.role),
    )
    if (custom !== undefined)
      return {
        status: 'fail',
        message: 'data-denied',
        data: { ...data, observed: quote(error.text) },
        evidence: [see(custom), ofError(error)],
      }
    const observed = own.map(({ role }) => role).join(', ') || 'none'
    const managing = own.filter(managesOnly)
    if (managing[0] !== undefined && seen.complete)
      return {
        status: 'fail',
        message: 'control-plane-only',
        data: { ...data, observed, scope: scope ?? managing[0].scope, expected: reader },
        evidence: [...managing.slice(0, 5).map(see), ofError(error)],
      }
    return seen.complete
      ? {
          status: 'fail',
          message: 'data-role-missing',
          data: { ...data, observed },
          evidence: [...own.slice(0, 5).map(see), ofError(error)],
        }
      : {
          status: 'fail',
          message: 'data-denied',
          data: { ...data, observed: quote(error.text) },
          evidence: [ofError(error)],
        }
  },
})
