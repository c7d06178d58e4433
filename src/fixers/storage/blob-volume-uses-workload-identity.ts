/** Has a blob volume that stands in the pod template ask for workload identity; a PersistentVolume is made anew by a person. */
import { check } from '../../checks/storage/blob-volume-uses-workload-identity.ts'
import { at, isObject } from '../../core/json.ts'
import { byHand, defineFixer, type Proposal, type ProposalBrief } from '../../core/plan.ts'
import { azureClientAnnotation } from '../../domain/audiences.ts'
import type { Edit } from '../../domain/kubernetes-changes.ts'
import { changeTemplate, type Held, named, volumeSaid } from '../../domain/template-changes.ts'
import { isClientId } from '../../probes/azure/reference.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'
import { template } from '../../probes/workload/template.ts'

const needs = { template }
const wants = { serviceAccount }
type Brief = ProposalBrief<typeof needs, typeof wants, { readonly volume: string }>

/** What asks the node instead. */
const ofNode = /^AzureStorage(?:AuthType|Identity(?:ClientID|ObjectID|ResourceID))$/i

/** The attribute as the volume writes it, whose name the driver reads without regard to case. */
function attributeIn({ path, json }: Held, fits: (name: string) => boolean) {
  const attributes = at(json, 'csi', 'volumeAttributes')
  const found = Object.entries(isObject(attributes) ? attributes : {}).find(([name]) => fits(name))
  return found === undefined ? undefined : { path: [...path, 'csi', 'volumeAttributes', found[0]], before: found[1] }
}

function change(brief: Brief, edits: (volume: Held) => readonly Edit[], what: string): Proposal {
  const { template } = brief.have
  const held = template.state === 'absent' ? undefined : volumeSaid(template.value, brief.data.volume)
  const [first, ...rest] = held === undefined ? [] : edits(held)
  if (template.state === 'absent' || held === undefined || first === undefined) return byHand
  const summary = `${what} on volume ${held.name} of ${named(template.value)}`
  return [{ summary, safety: 'review', ...changeTemplate(template.value, [first, ...rest]) }]
}

/** The client that the account of the pod names; nobody else's is put there. */
function nameClient(brief: Brief): Proposal {
  const { serviceAccount } = brief.want
  const client =
    serviceAccount.state === 'known' ? serviceAccount.value.annotations[azureClientAnnotation]?.trim() : undefined
  if (client === undefined || !isClientId(client)) return byHand
  const edits = (held: Held): readonly Edit[] => {
    const others = ['authtype', 'identityclientid', 'identityobjectid', 'identityresourceid'].flatMap((end) => {
      const found = attributeIn(held, (name) => ofNode.test(name) && name.toLowerCase().endsWith(end))
      return found === undefined ? [] : [found]
    })
    return [{ path: [...held.path, 'csi', 'volumeAttributes', 'clientID'], after: client }, ...others]
  }
  return change(brief, edits, `Set clientID ${client}, which the ServiceAccount names,`)
}

const switchOn = (brief: Brief): Proposal =>
  change(
    brief,
    (held) => {
      const found = attributeIn(held, (name) => name.toLowerCase() === 'mountwithworkloadidentitytoken')
      return found === undefined ? [] : [{ ...found, after: 'true' }]
    },
    'Set mountWithWorkloadIdentityToken "true"',
  )

export const fixer = defineFixer(check, {
  needs,
  wants,
  proposals: {
    'managed-identity-instead': nameClient,
    'identity-without-auth-type': nameClient,
    'client-id-missing': nameClient,
    'value-not-true': switchOn,
  },
})
