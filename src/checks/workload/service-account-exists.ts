/** The workload's ServiceAccount exists. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, unnamed } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { namedBy, namesakes } from '../../probes/workload/namesakes.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Told = { readonly namespace: string | undefined; readonly name: string; readonly workload: string | undefined }

/** Texts of the admission plugin and of webhooks; the namespace and the pod only stand in some of them. */
function toldIn(text: string): Told | undefined {
  const name = /service ?account \\?"([^"\\\s]{1,253})\\?" not found/i.exec(text)?.[1]
  if (name === undefined) return undefined
  const namespace = /service account ([^\s/]{1,63})\/[^\s:]{1,253}:/i.exec(text)?.[1]
  const pod = /pods? \\?"([^"\\\s]{1,253})\\?" is forbidden/i.exec(text)?.[1]
  return { namespace, name, workload: pod === undefined ? undefined : `pod/${pod}` }
}

const notCollected = '(namespace not collected)'
const create = ({ namespace, name }: { readonly namespace: string; readonly name: string }, rest: string): string => {
  const where = namespace === notCollected ? unnamed.namespace : namespace
  const whose = where === unnamed.namespace ? ` ${where} is that of the workload.` : ''
  return advice(
    `Create it where the workload runs, or have the workload name one that is there. ${rest}${whose}`,
    sh`kubectl create serviceaccount ${name} -n ${where}`,
  )
}

export const check = defineCheck({
  meta: {
    id: 'workload/service-account-exists',
    title: "The workload's ServiceAccount exists",
    severity: 'error',
    scope: 'service-account',
    cloud: 'any',
    section: 'Workload',
    why: 'A pod that names a ServiceAccount which is not in its own namespace is never created.',
    fix: {
      safety: 'review',
      does: 'Create a plain ServiceAccount of that name; never copy an identity annotation from another namespace.',
    },
    links: [
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/pkg/webhook/webhook.go',
      'https://github.com/GoogleCloudPlatform/gcs-fuse-csi-driver/blob/main/docs/authentication.md',
    ],
  },
  needs: {},
  wants: { serviceAccount, namedBy, namesakes, errorsOfServiceAccount },
  after: [],
  messages: {
    // It is missing here too; where it is instead says more.
    'in-another-namespace': (data: { name: string; namespaces: string; namespace: string; workload: string }) =>
      `ServiceAccount ${data.name} exists in ${data.namespaces}, not in ${data.namespace} where ${data.workload} runs`,
    missing: ({ namespace, name, workload }: { namespace: string; name: string; workload: string }) =>
      `ServiceAccount ${namespace}/${name}, which ${workload} names, does not exist`,
  },
  remedies: {
    'in-another-namespace': (data) =>
      create(
        data,
        `It gets no identity by that: the annotation in ${data.namespaces} is bound to that namespace, and a copy of it here is refused until the cloud trusts this one too.`,
      ),
    missing: (data) => create(data, 'A new one has no identity yet; then look again.'),
  },
  judge: ({ want, subject }) => {
    const { serviceAccount } = want
    if (serviceAccount.state === 'known')
      return {
        status: 'pass',
        evidence: [{ question: serviceAccount.from, path: 'metadata.name', observed: serviceAccount.value.name }],
      }
    const errors = want.errorsOfServiceAccount.state === 'known' ? want.errorsOfServiceAccount.value : []
    const isSubject = subject.kind === 'ServiceAccount'
    const told = errors
      .flatMap(({ text, place }) => {
        const one = toldIn(text)
        return one === undefined ? [] : [{ ...one, text, place }]
      })
      .find(
        ({ name, namespace }) =>
          !isSubject || (name === subject.name && (namespace === undefined || namespace === subject.namespace)),
      )
    if (serviceAccount.state === 'unknown' && told === undefined) return { status: 'pass', evidence: [] }

    const name = isSubject ? subject.name : (told?.name ?? '')
    const namespace = (isSubject ? subject.namespace : told?.namespace) ?? notCollected
    const users = want.namedBy.state === 'known' ? want.namedBy.value : []
    const workload = users[0] ?? told?.workload ?? 'a workload'
    // It may be that a person asks for it, and nobody else.
    const isNamed = users.length > 0 || told !== undefined || !isSubject
    const evidence: Evidence[] = []
    if (serviceAccount.state === 'absent')
      evidence.push({ question: serviceAccount.from, path: '', observed: 'absent', expected: 'a ServiceAccount' })
    if (users.length > 0) evidence.push({ question: want.namedBy.from, path: 'items', observed: users })
    if (told !== undefined)
      evidence.push({ question: want.errorsOfServiceAccount.from, path: told.place, observed: told.text })
    const elsewhere = want.namesakes.state === 'known' ? want.namesakes.value : []
    return elsewhere.length > 0
      ? {
          status: 'fail',
          message: 'in-another-namespace',
          data: { name, namespaces: elsewhere.join(', '), namespace, workload },
          evidence: [...evidence, { question: want.namesakes.from, path: 'items', observed: elsewhere }],
        }
      : {
          status: 'fail',
          message: 'missing',
          data: { namespace, name, workload: isNamed ? workload : 'no workload that was seen' },
          evidence,
        }
  },
})
