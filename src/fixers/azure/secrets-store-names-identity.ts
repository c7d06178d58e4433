/** Names in a class of the secrets store the client id of the one identity that trusts whoever mounts it. */
import { check } from '../../checks/azure/secrets-store-names-identity.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { patchObject } from '../../domain/kubernetes-changes.ts'
import { secretsStore, storeIdentity } from '../../probes/azure/secrets-store.ts'

const needs = { secretsStore, storeIdentity }

function name({
  have: { secretsStore, storeIdentity },
}: ProposalBrief<typeof needs, Record<never, never>, unknown>): Proposal {
  if (secretsStore.state === 'absent' || storeIdentity.state === 'absent') return byHand
  const { class: own } = secretsStore.value
  if (own === undefined) return byHand
  const { namespace, name, clientId: before } = own
  const { clientId, name: identity } = storeIdentity.value
  const edit = {
    path: ['spec', 'parameters', 'clientID'],
    ...(before === undefined ? {} : { before }),
    after: clientId,
  }
  const summary = `Have SecretProviderClass ${name} in namespace ${namespace} name identity ${identity} (${clientId})`
  return [{ summary, safety: 'review', ...patchObject({ resource: 'secretproviderclasses', namespace, name }, [edit]) }]
}

// The driver belongs to its chart or add-on, which would write it anew.
export const fixer = defineFixer(check, { needs, wants: {}, proposals: { 'client-id-missing': name } })
