/** Who was examined and which identity it asks for, as the head of a report says it. */
import type { Examination } from '../core/engine.ts'
import type { Identity } from '../core/report.ts'
import type { Subject } from '../core/subject.ts'
import { azureClientAnnotation, googleAnnotation, roleAnnotation } from '../domain/audiences.ts'
import { type Association, association } from './aws/association.ts'
import { cluster } from './aws/cluster.ts'
import { serviceAccount } from './workload/service-account.ts'

const annotations = [roleAnnotation, googleAnnotation, azureClientAnnotation] as const

const ofAssociation = ({ roleArn }: Association): string =>
  roleArn === undefined ? 'a role by EKS Pod Identity' : `${roleArn} by EKS Pod Identity`

/** One entry per ServiceAccount that was judged; `none named` where it asks for no identity, nothing where it was not seen. */
export async function identitiesOf(
  examination: Pick<Examination, 'fact'>,
  subjects: readonly Subject[],
): Promise<readonly Identity[]> {
  const found: Identity[] = []
  for (const subject of subjects) {
    if (subject.kind !== 'ServiceAccount') continue
    const account = await examination.fact(serviceAccount, subject)
    if (account.state !== 'known') continue
    const annotated = annotations
      .map((key) => account.value.annotations[key])
      .find((value) => value !== undefined && value !== '')
    const associated = annotated === undefined ? await examination.fact(association, subject) : undefined
    const identity = annotated ?? (associated?.state === 'known' ? ofAssociation(associated.value) : undefined)
    const eks = await examination.fact(cluster, subject)
    const place = eks.state === 'known' && eks.value.region !== undefined ? { place: `eks ${eks.value.region}` } : {}
    found.push({ subject, identity: identity ?? 'no cloud identity named', ...place })
  }
  return found
}
