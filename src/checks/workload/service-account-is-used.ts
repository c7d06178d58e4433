/** The workload runs as the ServiceAccount that has the identity. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, patchSpec, unnamed } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { observedErrors } from '../../probes/cluster/observed-errors.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'
import { identityOf, users } from '../../probes/workload/users.ts'

/** The subject that a cloud saw in the token which it refused. */
const presented = /subject:? \\?'?system:serviceaccount:([^:'"\\\s]{1,63}):([^:'"\\\s]{1,253})/i

type Meant = { readonly workload: string; readonly expected: string; readonly namespace: string }

const listWorkloads = (namespace: string): string =>
  sh`kubectl get deployments,statefulsets,daemonsets,cronjobs -n ${namespace}`

const runAs = ({ workload, expected, namespace }: Meant): string => {
  const seen = workload.includes('/')
  const place = { workload: seen ? workload : unnamed.workload, namespace }
  const commands = patchSpec(place, { serviceAccountName: expected })
  const where = !seen
    ? `the workload's pod template (${place.workload}: one of the list)`
    : commands.length > 0
      ? `the pod template of ${workload}, which makes its pods anew`
      : `the manifest of ${workload}, and make it anew from that`
  return advice(
    `Set serviceAccountName: ${expected} in ${where}. Do not give the identity to the other ServiceAccount.`,
    ...(seen ? [] : [listWorkloads(namespace)]),
    ...commands,
  )
}

export const check = defineCheck({
  meta: {
    id: 'workload/service-account-is-used',
    title: 'The workload runs as the ServiceAccount that has the identity',
    severity: 'error',
    scope: 'service-account',
    cloud: 'any',
    section: 'Workload',
    why: 'The identity belongs to one ServiceAccount; a pod that runs as another shows the cloud another subject.',
    fix: {
      safety: 'review',
      does: 'Set serviceAccountName in the one pod template, which rolls it out anew; never move an identity annotation onto `default`.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/issues/691',
      'https://github.com/Azure/azure-workload-identity/issues/1116',
      'https://github.com/GoogleCloudPlatform/kubernetes-engine-samples/issues/10',
    ],
  },
  needs: { serviceAccount },
  wants: { users, observedErrors },
  after: ['workload/service-account-exists'],
  messages: {
    'runs-as-default': ({ workload, expected }: Meant) =>
      `${workload} runs as ServiceAccount default; the identity is bound to ${expected} in the same namespace`,
    'runs-as-another': ({ workload, actual, expected }: Meant & { actual: string }) =>
      `${workload} runs as ${actual}; the identity is bound to ${expected}`,
    'used-by-nobody': ({ namespace, name, identity }: { namespace: string; name: string; identity: string }) =>
      `no pod and no workload template in ${namespace} names ServiceAccount ${name}, which is bound to ${identity}`,
  },
  remedies: {
    'runs-as-default': runAs,
    'runs-as-another': runAs,
    'used-by-nobody': ({ namespace, name }) => runAs({ workload: '', expected: name, namespace }),
  },
  judge: ({ have, want }) => {
    if (have.serviceAccount.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount does not exist' }
    const { name, namespace } = have.serviceAccount.value
    const identity = identityOf(have.serviceAccount.value)
    if (identity === undefined)
      return { status: 'not-applicable', reason: 'the ServiceAccount itself names no cloud identity' }
    const seen = want.users.state === 'known' ? want.users.value : undefined
    const evidence: Evidence[] =
      seen === undefined
        ? []
        : [{ question: want.users.from, path: 'items[].spec.serviceAccountName', observed: seen.users }]
    const wrong = (workload: string, actual: string, more: readonly Evidence[]) =>
      actual === 'default'
        ? ({
            status: 'fail',
            message: 'runs-as-default',
            data: { workload, expected: name, namespace },
            evidence: [...evidence, ...more],
          } as const)
        : ({
            status: 'fail',
            message: 'runs-as-another',
            data: { workload, actual, expected: name, namespace },
            evidence: [...evidence, ...more],
          } as const)
    const runsAs = (one: { readonly workload: string; readonly serviceAccount: string }): Evidence => ({
      question: want.users.from,
      path: `${one.workload} spec.serviceAccountName`,
      observed: one.serviceAccount,
      expected: name,
    })

    const errors = want.observedErrors.state === 'known' ? want.observedErrors.value : []
    for (const { text, place } of errors) {
      const [, where, actual] = presented.exec(text) ?? []
      if (where !== namespace || actual === undefined || actual === name) continue
      // An account that is bound itself was meant; what is wrong with it is not this.
      if (seen?.bound.includes(actual)) continue
      if (actual !== 'default' && !seen?.unbound.includes(actual) && seen?.users.length !== 0) continue
      const bearers = seen?.others().filter((one) => one.serviceAccount === actual) ?? []
      const workload = bearers.length === 1 ? (bearers[0]?.workload ?? 'a workload') : 'a workload'
      return wrong(workload, actual, [{ question: want.observedErrors.from, path: place, observed: text }])
    }
    if (seen === undefined || seen.users.length > 0) return { status: 'pass', evidence }
    if (seen.bound.length > 1)
      return {
        status: 'not-applicable',
        reason:
          'several ServiceAccounts of the namespace are bound, and nothing shows which workload was meant for which',
      }

    // A workload that asks for an identity by itself, or the only one there is, was meant; others may well need none.
    const others = seen.others()
    const lasting = others.some(({ passing }) => !passing)
    const candidates = others.filter(({ passing }) => !(passing && lasting))
    const onDefault = candidates.filter((one) => one.serviceAccount === 'default')
    const asking = candidates.filter(
      (one) => one.expectsIdentity && (one.serviceAccount === 'default' || seen.unbound.includes(one.serviceAccount)),
    )
    const meant = asking[0] ?? (onDefault.length === 1 ? onDefault[0] : undefined)
    if (meant !== undefined) return wrong(meant.workload, meant.serviceAccount, [runsAs(meant)])
    if (seen.complete)
      return { status: 'fail', message: 'used-by-nobody', data: { namespace, name, identity }, evidence }
    return {
      status: 'undecided',
      lacks: `no pod and no pod template was seen that runs as ServiceAccount ${namespace}/${name}`,
      lift: sh`kubectl get pods,deployments,statefulsets,daemonsets,jobs,cronjobs -n ${namespace} -o yaml`,
      evidence,
    }
  },
})
