/** Whether the ServiceAccount names its identity by client id. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice } from '../../domain/advice.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import { annotate, annotateAnew, unseen } from '../../domain/azure-advice.ts'
import { isMaskedId, isPlaceholder, misspeltKey } from '../../domain/azure-client-key.ts'
import { identifierIn } from '../../domain/azure-errors.ts'
import {
  fileVariable,
  isSelfMade,
  namesClient,
  onlyByDriver,
  ownContainers,
  useLabel,
} from '../../domain/azure-pods.ts'
import { sh } from '../../domain/shell-words.ts'
import { misplacedClientId } from '../../probes/azure/account.ts'
import { errorsIn, held, ofError, quote } from '../../probes/azure/evidence.ts'
import { managedIdentities, same } from '../../probes/azure/identity.ts'
import { podsAndTemplates } from '../../probes/azure/pods.ts'
import { isClientId } from '../../probes/azure/reference.ts'
import { saying } from '../../probes/azure/said.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Data = Account & { readonly name: string; readonly observed: string; readonly clientId: string }

const put = (data: Data): string =>
  annotateAnew(data, {
    key: azureClientAnnotation,
    value: data.clientId,
    named: 'the client id of its identity',
    placeholder: unseen.clientId,
    hint: 'clientId of the one whose credentials trust this ServiceAccount',
    shows: 'az identity list --query "[].{name:name,clientId:clientId}"',
  })

export const check = defineCheck({
  meta: {
    id: 'azure/service-account-names-identity',
    title: 'The ServiceAccount names the identity by its client id',
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Workload',
    why: 'The webhook copies the annotation into AZURE_CLIENT_ID; without it the variable is left out silently, and what is no client id is sent to Entra as it stands.',
    fix: {
      safety: 'safe',
      does: 'Annotate the ServiceAccount with the client id, where exactly one known identity is meant; restart what runs as it as a second action. Leave a misspelt key in place.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/1026',
      'https://github.com/Azure/azure-workload-identity/issues/1357',
      'https://github.com/MicrosoftDocs/azure-docs/issues/108526',
      'https://github.com/kubernetes-sigs/external-dns/issues/5199',
      'https://github.com/Azure/azure-workload-identity/issues/651',
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/pkg/webhook/webhook.go',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: { serviceAccount, podsAndTemplates, misplacedClientId, managedIdentities, errorsOfServiceAccount },
  after: ['azure/pod-uses-federated-service-account', 'workload/service-account-exists'],
  messages: {
    'key-misspelt': ({ namespace, name, observed }: Data) =>
      `ServiceAccount ${namespace}/${name} carries ${observed}, the webhook reads ${azureClientAnnotation}`,
    'annotated-elsewhere': ({
      clientId,
      kind,
      object,
      namespace,
      name,
      observed,
    }: Data & { kind: string; object: string }) =>
      `${azureClientAnnotation}=${clientId} is on ${kind} ${object}, ServiceAccount ${namespace}/${name} has ${observed}`,
    'client-id-missing': ({ namespace, name }: Data) =>
      `ServiceAccount ${namespace}/${name} has no annotation ${azureClientAnnotation}; the webhook then leaves AZURE_CLIENT_ID out, or empty, without an error`,
    'resource-id': ({ namespace, name, observed }: Data) =>
      `client-id of ServiceAccount ${namespace}/${name} is the resource id ${observed}; expected the clientId GUID of that identity`,
    'principal-id': ({ namespace, name, observed, identity, clientId }: Data & { identity: string }) =>
      `client-id of ServiceAccount ${namespace}/${name} is ${observed}, the principalId of ${identity}; expected its clientId ${clientId}`,
    placeholder: ({ namespace, name, observed }: Data) =>
      `client-id of ServiceAccount ${namespace}/${name} is the unreplaced placeholder ${observed}`,
    'not-a-guid': ({ namespace, name, observed }: Data) =>
      `client-id of ServiceAccount ${namespace}/${name} is "${observed}", expected a GUID without quotes or spaces`,
    'unset-in-application': ({ observed }: Data) =>
      `the application has no client id: ${observed}; neither annotation, pod environment nor its own configuration gives one`,
  },
  remedies: {
    'key-misspelt': put,
    'annotated-elsewhere': put,
    'client-id-missing': put,
    'resource-id': (data) =>
      advice(
        'Annotate the ServiceAccount with the clientId of that identity, which the first command prints, then make anew what runs as it.',
        data.observed.startsWith('/subscriptions/')
          ? sh`az identity show --ids ${data.observed} --query clientId -o tsv`
          : 'az identity list --query "[].{name:name,clientId:clientId}"',
        annotate(data, azureClientAnnotation, data.clientId),
      ),
    'principal-id': put,
    placeholder: put,
    'not-a-guid': put,
    'unset-in-application': put,
  },
  judge: ({
    want: { serviceAccount, podsAndTemplates, misplacedClientId, managedIdentities, errorsOfServiceAccount },
    subject,
  }) => {
    if (serviceAccount.state === 'absent')
      return { status: 'not-applicable', reason: 'there is no such ServiceAccount' }
    const account = held(serviceAccount)
    const errors = errorsIn(errorsOfServiceAccount)
    const identities = held(managedIdentities)?.items ?? []
    const seen = held(podsAndTemplates)
    const all = [...(seen?.pods ?? []), ...(seen?.templates ?? [])]
    const base = accountOf(subject)
    const data: Data = { ...base, name: base.serviceAccount, observed: 'none', clientId: unseen.clientId }
    const on = (key: string, observed: string | null, expected?: string): Evidence => ({
      question: serviceAccount.from,
      path: `metadata.annotations["${key}"]`,
      observed,
      ...(expected === undefined ? {} : { expected }),
    })
    const raw = account?.annotations[azureClientAnnotation]
    const sent = errors
      .flatMap(({ text }) => identifierIn(text.replace(/\s+/g, ' ')) ?? [])
      .find((one) => one.startsWith('/subscriptions/'))
    if (raw !== undefined && raw !== '') {
      const evidence = [on(azureClientAnnotation, raw, 'the clientId of the identity, a GUID')]
      const told = { ...data, observed: raw }
      if (/^\s*\/?subscriptions\//i.test(raw)) {
        const meant = identities.find(({ id }) => same(id, raw.trim()))
        return {
          status: 'fail',
          message: 'resource-id',
          data: { ...told, clientId: meant?.clientId ?? unseen.clientId },
          evidence,
        }
      }
      const owner = identities.find((one) => same(one.principalId, raw.trim()) && !same(one.clientId, raw.trim()))
      if (owner !== undefined)
        return {
          status: 'fail',
          message: 'principal-id',
          data: { ...told, identity: owner.name, clientId: owner.clientId },
          evidence,
        }
      if (isClientId(raw)) return { status: 'pass', evidence }
      if (isMaskedId(raw))
        return { status: 'undecided', lacks: 'the client id was hidden in what was collected', evidence }
      return { status: 'fail', message: isPlaceholder(raw) ? 'placeholder' : 'not-a-guid', data: told, evidence }
    }
    if (sent !== undefined && account === undefined)
      return {
        status: 'fail',
        message: 'resource-id',
        data: { ...data, observed: sent },
        evidence: errors.filter(({ text }) => text.includes('/subscriptions/')).map(ofError),
      }
    const told = saying(errors, 'azure/service-account-names-identity', 'unset-in-application')
    const evidence = [
      on(azureClientAnnotation, raw ?? null, 'the clientId of the identity'),
      ...(told === undefined ? [] : [ofError(told)]),
    ]
    if (account !== undefined) {
      const wrong = misspeltKey(account.annotations)
      if (wrong !== undefined) {
        const value = account.annotations[wrong] ?? ''
        return {
          status: 'fail',
          message: 'key-misspelt',
          data: { ...data, observed: wrong, clientId: isClientId(value) ? value : unseen.clientId },
          evidence: [on(wrong, value), ...evidence],
        }
      }
      const elsewhere = held(misplacedClientId)
      if (elsewhere !== undefined)
        return {
          status: 'fail',
          message: 'annotated-elsewhere',
          data: { ...data, kind: elsewhere.kind, object: elsewhere.name, clientId: elsewhere.value },
          evidence: [
            {
              question: misplacedClientId.from,
              path: `${elsewhere.kind}/${elsewhere.name} metadata.annotations`,
              observed: elsewhere.value,
            },
            ...evidence,
          ],
        }
    }
    const asking = all.filter(
      (pod) =>
        !onlyByDriver(pod) &&
        (pod.labels[useLabel] === 'true' || ownContainers(pod).some(({ env }) => fileVariable in env)),
    )
    const named = asking.find(
      (pod) => ownContainers(pod).every(namesClient) || (isSelfMade(pod) && ownContainers(pod).some(namesClient)),
    )
    if (asking.length > 0 && named !== undefined && told === undefined)
      return {
        status: 'pass',
        evidence: [
          {
            question: podsAndTemplates.from,
            path: `${named.kind}/${named.name} spec.containers[].env`,
            observed: 'AZURE_CLIENT_ID',
          },
        ],
      }
    const bare = asking.find(
      (pod) =>
        ownContainers(pod).some(({ env }) => fileVariable in env && !('AZURE_CLIENT_ID' in env)) &&
        (pod.uid !== undefined || account !== undefined),
    )
    if (account === undefined) {
      if (bare !== undefined)
        return {
          status: 'fail',
          message: 'client-id-missing',
          data,
          evidence: [
            {
              question: podsAndTemplates.from,
              path: `${bare.kind}/${bare.name} spec.containers[].env`,
              observed: 'AZURE_FEDERATED_TOKEN_FILE without AZURE_CLIENT_ID',
            },
          ],
        }
      return told === undefined
        ? { status: 'undecided', lacks: 'the ServiceAccount was not seen' }
        : {
            status: 'fail',
            message: 'unset-in-application',
            data: { ...data, observed: quote(told.text) },
            evidence: [ofError(told)],
          }
    }
    if (asking.length > 0 || told !== undefined) return { status: 'fail', message: 'client-id-missing', data, evidence }
    return { status: 'not-applicable', reason: 'nothing else asks for an identity of Azure' }
  },
})
