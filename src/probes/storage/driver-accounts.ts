/** The ServiceAccounts that a driver runs as, and what binds them; absent for drivers that mount with the pod's identity only. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { at, listAt, textAt } from '../../core/json.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { aws, kubernetes } from '../../domain/questions.ts'
import { attribute, ebsDriver, efsDriver, readPersistentVolume, s3Driver } from '../../domain/storage-volumes.ts'
import { driverErrors } from './object-errors.ts'
import { saidFor } from './words.ts'

export type DriverAccounts = {
  /** Empty where only a text speaks of a driver. */
  readonly driver: string
  /** Those that need the identity: each with what binds it; undefined where it was not seen. */
  readonly needed: readonly { readonly account: string; readonly bound: boolean | undefined; readonly role?: string }[]
  /** Others of the driver that carry a role. */
  readonly others: readonly string[]
  /** The hop limit of the nodes' metadata service, where it was seen. */
  readonly hops?: number
}

const id = 'storage/driver-has-its-own-identity'
const names: { readonly [driver: string]: { readonly prefix: string; readonly accounts: readonly string[] } } = {
  [ebsDriver]: { prefix: 'ebs-csi-', accounts: ['ebs-csi-controller-sa'] },
  [efsDriver]: { prefix: 'efs-csi-', accounts: ['efs-csi-controller-sa', 'efs-csi-node-sa'] },
  [s3Driver]: { prefix: 's3-csi-', accounts: ['s3-csi-driver-sa'] },
}

export const driverAccounts = defineProbe({
  id: 'storage/driver-accounts',
  about: 'the ServiceAccounts that the driver runs as',
  scope: 'object',
  needs: {},
  wants: { driverErrors },
  ask: async (_have, { driverErrors }, { subject, ask }): Promise<Fact<DriverAccounts>> => {
    const question = kubernetes.list('serviceaccounts', 'kube-system')
    const said = driverErrors.state === 'known' && saidFor(driverErrors.value, id).length > 0
    const known_ = names[subject.name]
    if (subject.kind === 'Cluster')
      return said ? known({ driver: '', needed: [], others: [] }, driverErrors.from) : absent(question)
    if (known_ === undefined) return absent(question)
    if (subject.name === s3Driver) {
      // Where every volume says pod, nobody mounts as the driver.
      const volumes = await ask(kubernetes.list('persistentvolumes'))
      const own =
        volumes.state === 'known'
          ? listAt(volumes.value, 'items')
              .flatMap((one) => readPersistentVolume(one) ?? [])
              .filter(({ driver }) => driver === s3Driver)
          : []
      if (own.length > 0 && own.every((one) => attribute(one, 'authenticationSource') === 'pod'))
        return absent(question)
    }
    const answer = await ask(question)
    const accounts = answer.state === 'known' ? listAt(answer.value, 'items') : []
    const complete = answer.state === 'known' && at(answer.value, 'complete') === true
    const roleOf = (name: string): string | undefined => {
      const one = accounts.find((each) => textAt(each, 'metadata', 'name') === name)
      return textAt(one, 'metadata', 'annotations', roleAnnotation)?.trim()
    }
    const seen = (name: string): boolean =>
      complete || accounts.some((each) => textAt(each, 'metadata', 'name') === name)
    const unbound = known_.accounts.filter((name) => !roleOf(name))
    // Only where an annotation is missing does an association matter.
    const associations = unbound.length > 0 ? await ask(aws.podIdentityAssociations()) : undefined
    const list = associations?.state === 'known' ? listAt(associations.value, 'associations') : []
    const all =
      associations?.state === 'absent' ||
      (associations?.state === 'known' && at(associations.value, 'complete') !== false)
    const associated = (name: string): boolean =>
      list.some((one) => textAt(one, 'namespace') === 'kube-system' && textAt(one, 'serviceAccount') === name)
    const others = accounts.flatMap((one) => {
      const name = textAt(one, 'metadata', 'name') ?? ''
      const ofDriver = name.startsWith(known_.prefix) && !known_.accounts.includes(name)
      return ofDriver && (roleOf(name) || associated(name)) ? `kube-system/${name}` : []
    })
    const instances = unbound.length > 0 && said ? await ask(aws.instances()) : undefined
    const limits =
      instances?.state === 'known'
        ? listAt(instances.value, 'Reservations')
            .flatMap((one) => listAt(one, 'Instances'))
            .flatMap((one) => {
              const hops = at(one, 'MetadataOptions', 'HttpPutResponseHopLimit')
              return typeof hops === 'number' ? hops : []
            })
        : []
    return known(
      {
        driver: subject.name,
        needed: known_.accounts.map((name) => {
          const role = roleOf(name)
          const bound = role ? true : associated(name) ? true : seen(name) && all ? false : undefined
          return { account: `kube-system/${name}`, bound, ...(role ? { role } : {}) }
        }),
        others,
        ...(limits.length > 0 ? { hops: Math.min(...limits) } : {}),
      },
      question,
    )
  },
})
