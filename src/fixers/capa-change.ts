/** Changes to identities of Cluster API Provider AWS: in the cluster where the API server has one, in its manifest where it has not. */
import type { Known } from '../core/fact.ts'
import { type Identity, refText, roleKind } from '../domain/capa.ts'
import { editManifest } from '../domain/document-changes.ts'
import { type Changed, type Edit, patchObject } from '../domain/kubernetes-changes.ts'
import { resourceOf } from '../domain/kubernetes-resources.ts'

/** Which of the two is changed, as a summary names it. */
export const placeText = (identity: Identity): string =>
  identity.served ? refText(identity) : `the manifest of ${refText(identity)}`

/** The webhooks let nobody change the spec of the other kinds: https://github.com/kubernetes-sigs/cluster-api-provider-aws/tree/2cf09d7/api/v1beta2 */
export const mayChange = ({ kind, served }: Identity): boolean => !served || kind === roleKind

export function changeIdentity(
  { value: { kind, name, served }, from }: Known<Identity>,
  edits: readonly [Edit, ...Edit[]],
): Changed {
  return served ? patchObject({ resource: resourceOf(kind), name }, edits) : editManifest(from, { kind, name }, edits)
}
