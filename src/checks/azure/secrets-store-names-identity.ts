/** Whether the Key Vault provider of the secrets store gets an identity and a token. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { azureAudience } from '../../domain/audiences.ts'
import { sh } from '../../domain/shell-words.ts'
import { held, ofError } from '../../probes/azure/evidence.ts'
import { driverName, driverTokens, secretsStore } from '../../probes/azure/secrets-store.ts'

type Data = { readonly namespace: string; readonly name: string; readonly observed: string }

export const check = defineCheck({
  meta: {
    id: 'azure/secrets-store-names-identity',
    title: 'The Key Vault provider of the secrets store gets an identity and a token',
    severity: 'error',
    scope: 'object',
    kinds: ['SecretProviderClass', 'CSIDriver'],
    cloud: 'azure',
    section: 'Workload',
    why: "The provider exchanges the token of the pod's ServiceAccount for the client id in its class; without the one it takes the node's identity, without the other it gets no token. Label, webhook and annotation play no part.",
    fix: {
      safety: 'review',
      does: "Set parameters.clientID to the client id of the one identity that trusts the pods' ServiceAccount. The CSIDriver belongs to its chart or add-on: set tokenRequests[0].audience there.",
    },
    links: [
      'https://github.com/Azure/secrets-store-csi-driver-provider-azure/issues/952',
      'https://github.com/Azure/secrets-store-csi-driver-provider-azure/issues/991',
      'https://github.com/Azure/secrets-store-csi-driver-provider-azure/issues/1022',
      'https://github.com/Azure/secrets-store-csi-driver-provider-azure/issues/1356',
    ],
  },
  only: { probe: secretsStore, otherwise: 'it is nothing that the Key Vault provider goes by' },
  needs: { secretsStore },
  wants: { driverTokens },
  after: [],
  messages: {
    'client-id-missing': ({ namespace, name, observed }: Data) =>
      `SecretProviderClass ${namespace}/${name} has clientID ${observed}; the provider falls back to the node's identity`,
    'token-requests-missing': ({ observed }: Data) =>
      `CSIDriver ${driverName} asks for tokens of ${observed}, expected audience ${azureAudience}`,
  },
  remedies: {
    'client-id-missing': ({ namespace, name }) =>
      advice(
        "Set spec.parameters.clientID of the class to the client id of the identity that trusts the pods' ServiceAccount (CLIENT_ID), then make the pods anew.",
        'az identity list --query "[].{name:name,clientId:clientId}"',
        sh`kubectl patch secretproviderclass ${name} -n ${namespace} --type merge -p ${'{"spec":{"parameters":{"clientID":"CLIENT_ID"}}}'}`,
      ),
    'token-requests-missing': () =>
      advice(
        `Have the chart or the add-on of the driver ask for tokens of ${azureAudience} (tokenRequests[0].audience), then make the pods anew.`,
        `helm upgrade csi-secrets-store secrets-store-csi-driver/secrets-store-csi-driver -n kube-system --reuse-values --set tokenRequests[0].audience=${azureAudience}`,
      ),
  },
  judge: ({ have: { secretsStore }, want: { driverTokens } }) => {
    if (secretsStore.state === 'absent')
      return { status: 'not-applicable', reason: 'it is nothing that the Key Vault provider goes by' }
    const { class: own, errors } = secretsStore.value
    const data: Data = { namespace: own?.namespace ?? 'NAMESPACE', name: own?.name ?? 'NAME', observed: 'none' }
    const evidence: Evidence[] = []
    if (own !== undefined) {
      if (own.other) return { status: 'not-applicable', reason: 'the class goes by another mechanism' }
      evidence.push({ question: secretsStore.from, path: 'spec.parameters.clientID', observed: own.clientId ?? null })
      if (own.clientId === undefined || own.clientId.trim() === '')
        return {
          status: 'fail',
          message: 'client-id-missing',
          data: { ...data, observed: own.clientId === undefined ? 'none' : '""' },
          evidence,
        }
    }
    const tokens = held(driverTokens)
    const seen: readonly Evidence[] =
      tokens === undefined
        ? []
        : [
            {
              question: driverTokens.from,
              path: 'spec.tokenRequests[].audience',
              observed: tokens,
              expected: azureAudience,
            },
          ]
    if (tokens !== undefined && !tokens.includes(azureAudience))
      return {
        status: 'fail',
        message: 'token-requests-missing',
        data: { ...data, observed: tokens.join(', ') || 'no audience' },
        evidence: [...evidence, ...seen],
      }
    const [error] = errors
    if (error !== undefined && tokens === undefined)
      return {
        status: 'fail',
        message: 'token-requests-missing',
        data: { ...data, observed: 'no audience' },
        evidence: [ofError(error)],
      }
    return tokens === undefined
      ? {
          status: 'undecided',
          lacks: 'the CSIDriver was not seen',
          lift: sh`kubectl get csidriver ${driverName} -o yaml`,
          evidence,
        }
      : { status: 'pass', evidence: [...evidence, ...seen] }
  },
})
