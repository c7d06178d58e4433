/** What binds a ServiceAccount to Google: its annotation, grants that name it, what its pods ask for, what was said of it. */
import { absent, defineProbe, type Fact, known } from '../../core/fact.ts'
import { googleAnnotation } from '../../domain/audiences.ts'
import { admits, namedBy, type Workload } from '../../domain/gcp-members.ts'
import { type Grant, grantsOf } from '../../domain/gcp-policies.ts'
import { gcp } from '../../domain/questions.ts'
import type { Pod, ServiceAccount } from '../../domain/workloads.ts'
import { clock } from '../cluster/clock.ts'
import { errorsOfServiceAccount } from '../workload/observed-errors.ts'
import { podsOfServiceAccount } from '../workload/pods.ts'
import { serviceAccount } from '../workload/service-account.ts'
import { type Heard, heardIn } from './heard.ts'
import { asksGoogle, googleWorld, hasGoogleMark, type World } from './world.ts'

export type GoogleAccount = {
  readonly world: World
  readonly fact: Fact<ServiceAccount>
  readonly account?: ServiceAccount
  /** As it stands, untrimmed. */
  readonly annotation?: string
  /** Where the annotation is an e-mail. */
  readonly email?: string
  readonly heard: readonly Heard[]
  readonly pods: readonly Pod[]
  readonly podsFact: Fact<unknown>
  /** Undefined where somebody answers for ServiceAccounts that were not seen. */
  readonly workload?: Workload
  /** Of the policies that were collected, those that admit it. */
  readonly grants: readonly Grant[]
  /** Those that name it, or a namesake in another pool: what was not seen decides. */
  readonly openGrants: readonly Grant[]
  /** Milliseconds since 1970; unknown in a folder that does not say when it was filled. */
  readonly now: Fact<number>
}

/** https://cloud.google.com/iam/docs/service-accounts-create: ids, and the accounts that Google makes by itself. */
export const emailForm =
  /^(?:[a-z](?:[-a-z0-9]{4,28}[a-z0-9])@[a-z0-9.:-]+\.iam\.gserviceaccount\.com|\d+-compute@developer\.gserviceaccount\.com|[a-z0-9.:-]+@appspot\.gserviceaccount\.com)$/

/** The same whatever its length: what its owner meant as an address. */
const looseForm = /^[a-z][-a-z0-9]{0,62}@[a-z0-9.:-]+\.iam\.gserviceaccount\.com$/
export const isEmail = (text: string): boolean => emailForm.test(text) || looseForm.test(text)

/** What was not seen of the cluster, where that decides whether a grant is to this ServiceAccount or to its namesake elsewhere. */
export const openIn = ({ cluster, number }: Pick<World, 'cluster' | 'number'>): Fact<never> =>
  [cluster, number].find((fact) => fact.state === 'unknown') ?? absent(gcp.collected())

const providerAnnotation = 'cloud.google.com/workload-identity-provider'

export const googleAccount = defineProbe({
  id: 'gcp/account',
  about: 'what binds the ServiceAccount to Google Cloud',
  scope: 'service-account',
  needs: { googleWorld },
  wants: { serviceAccount, errorsOfServiceAccount, podsOfServiceAccount, clock },
  only: 'googleWorld',
  ask: ({ googleWorld }, want, { subject }): Fact<GoogleAccount> => {
    const world = googleWorld.value
    const { serviceAccount, errorsOfServiceAccount, podsOfServiceAccount } = want
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const heard = heardIn(errorsOfServiceAccount)
    const pods = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    const annotation = account?.annotations[googleAnnotation]
    const pool = world.cluster.state === 'known' ? world.cluster.value.pool : undefined
    const number = world.number.state === 'known' ? world.number.value : undefined
    const url = world.cluster.state === 'known' ? world.cluster.value.url : undefined
    const workload: Workload | undefined =
      subject.kind === 'ServiceAccount' && subject.namespace !== undefined
        ? {
            namespace: subject.namespace,
            name: subject.name,
            ...(account?.uid === undefined ? {} : { uid: account.uid }),
            ...(pool === undefined ? {} : { pool }),
            ...(number === undefined ? {} : { number }),
            ...(url === undefined ? {} : { cluster: url }),
          }
        : undefined
    const isNamed = ({ member }: Grant): boolean => {
      const named = namedBy(member)
      return named?.namespace === subject.namespace && named?.name === subject.name
    }
    const told = workload === undefined ? [] : world.policies.flatMap(grantsOf)
    const isAdmitted = ({ member }: Grant): boolean | undefined => workload !== undefined && admits(member, workload)
    const grants = told.filter((grant) => isAdmitted(grant) === true)
    const openGrants = told.filter((grant) => isAdmitted(grant) === undefined && isNamed(grant))
    const concerned =
      subject.kind === 'Cluster' ||
      (account !== undefined && hasGoogleMark(account.annotations)) ||
      heard.length > 0 ||
      grants.length > 0 ||
      asksGoogle(pods) ||
      pods.some((pod) => hasGoogleMark(pod.annotations)) ||
      account?.annotations[providerAnnotation] !== undefined
    if (!concerned) return openGrants.length === 0 ? absent(gcp.collected()) : openIn(world)
    return known(
      {
        world,
        fact: serviceAccount,
        ...(account === undefined ? {} : { account }),
        ...(annotation === undefined ? {} : { annotation }),
        ...(annotation !== undefined && isEmail(annotation) ? { email: annotation } : {}),
        heard,
        pods,
        podsFact: podsOfServiceAccount,
        ...(workload === undefined ? {} : { workload }),
        grants,
        openGrants,
        now: want.clock,
      },
      serviceAccount.from,
    )
  },
})
