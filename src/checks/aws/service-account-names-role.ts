/** Whether anything that is read gives the ServiceAccount an IAM role. */
import { defineCheck } from '../../core/check.ts'
import { type Account, advice, annotateRole, listRoles, podsOf, unnamed } from '../../domain/advice.ts'
import { parseRoleArn } from '../../domain/arn.ts'
import { roleAnnotation } from '../../domain/audiences.ts'
import { foreignKey } from '../../domain/aws-role-keys.ts'
import { sh } from '../../domain/shell-words.ts'
import type { ServiceAccount } from '../../domain/workloads.ts'
import { fragmentsOf } from '../../knowledge/error-texts.ts'
import { ofError, ofReference } from '../../probes/aws/evidence.ts'
import { roleReference } from '../../probes/aws/role-reference.ts'
import { unbound } from '../../probes/aws/unbound.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Key = { readonly key: string }
/** The ServiceAccount to annotate and the role; a placeholder where no value that was seen is one. */
type Annotated = Account & { readonly role: string }
const id = 'aws/service-account-names-role'
const ofThisCheck = fragmentsOf(id)
const speaksOfAws = /amazonaws|sts:AssumeRole/

const notCollected = 'not collected'

/** Who changed annotations last: the likely one to have dropped one. */
const lastWriter = ({ writers }: ServiceAccount): string =>
  [...writers].sort((a, b) => ((a.time ?? '') < (b.time ?? '') ? 1 : -1))[0]?.manager || notCollected

/** Never a guess: what stands there, if it is the ARN of a role. */
const roleIn = (value: string | undefined): string => {
  const trimmed = value?.trim() ?? ''
  return parseRoleArn(trimmed) === undefined ? unnamed.roleArn : trimmed
}

const namely = (role: string): string =>
  role === unnamed.roleArn ? ` (${unnamed.roleArn}: the one of the list that the workload is meant to have)` : ''

const search = (role: string): readonly string[] => (role === unnamed.roleArn ? [listRoles] : [])

const rename = (data: Annotated & Key): string =>
  advice(
    `Annotate the ServiceAccount under the right key${namely(data.role)} and take the other one off, then restart what runs as it (the last command lists the pods).`,
    ...search(data.role),
    annotateRole(data, data.role),
    sh`kubectl annotate serviceaccount/${data.serviceAccount} -n ${data.namespace} ${data.key}-`,
    podsOf(data),
  )

export const check = defineCheck({
  meta: {
    id,
    title: 'The ServiceAccount names an IAM role',
    severity: 'error',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Workload',
    why: 'Without one the webhook leaves the pods alone, and their SDKs find no credentials or take those of the node.',
    fix: {
      safety: 'review',
      does: 'Where a role ARN stands under a misspelt or foreign key, annotate the ServiceAccount with the right key and remove the wrong one; restart the workload as a second action. Never guess an ARN.',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/handler/handler.go',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/200',
      'https://github.com/amazon-archives/k8s-cloudwatch-adapter/issues/47',
      'https://github.com/aws-ia/terraform-aws-eks-ack-addons/issues/75',
      'https://github.com/aws-controllers-k8s/community/issues/2567',
      'https://github.com/aws/containers-roadmap/issues/2248',
    ],
  },
  needs: { serviceAccount },
  wants: { roleReference, unbound, errorsOfServiceAccount },
  after: [],
  messages: {
    'key-misspelt': ({ key }: Key & Annotated) =>
      `annotation ${key} is read by nobody; the key is eks.amazonaws.com/role-arn`,
    'key-of-other-tool': ({ key, tool }: Key & Annotated & { tool: string }) =>
      `annotation ${key} belongs to ${tool}; the pod identity webhook reads eks.amazonaws.com/role-arn`,
    'value-empty': (_: Annotated) => 'annotation eks.amazonaws.com/role-arn is empty, which counts as missing',
    'annotation-on-other-object': ({ kind, name }: Annotated & { kind: string; name: string }) =>
      `annotation eks.amazonaws.com/role-arn sits on ${kind} ${name}; it is read from the ServiceAccount only`,
    'annotation-lost': ({ role, manager }: Annotated & { manager: string }) =>
      `older pods still carry ${role}, but the annotation is gone from the ServiceAccount; ${manager} wrote its annotations last`,
    none: ({ namespace, name }: Annotated & { name: string }) =>
      `neither the annotation eks.amazonaws.com/role-arn nor a Pod Identity association names a role for ${namespace}/${name}`,
  },
  remedies: {
    'key-misspelt': rename,
    'key-of-other-tool': rename,
    'value-empty': (data) =>
      advice(
        `Give the annotation its value${namely(data.role)}, also where the template that writes it gets its values, then restart what runs as the ServiceAccount (the last command lists the pods).`,
        ...search(data.role),
        annotateRole(data, data.role),
        podsOf(data),
      ),
    'annotation-on-other-object': (data) =>
      advice(
        `Annotate ServiceAccount ${data.serviceAccount} instead${namely(data.role)} and take the annotation out of the manifest of ${data.kind} ${data.name}, then restart what runs as it (the last command lists the pods).`,
        ...search(data.role),
        annotateRole(data, data.role),
        podsOf(data),
      ),
    'annotation-lost': (data) =>
      advice(
        `Write the annotation back, and add it to what ${data.manager === notCollected ? 'deploys the ServiceAccount' : data.manager} applies, or it is lost again; then restart those whose pods came after (the last command lists them).`,
        annotateRole(data, data.role),
        podsOf(data),
      ),
    none: (data) =>
      advice(
        `Annotate the ServiceAccount with its role${namely(data.role)}, then restart what runs as it (the last command lists the pods).`,
        ...search(data.role),
        annotateRole(data, data.role),
        podsOf(data),
      ),
  },
  judge: ({ have: { serviceAccount }, want: { roleReference, unbound, errorsOfServiceAccount } }) => {
    if (serviceAccount.state === 'absent')
      return { status: 'not-applicable', reason: 'the ServiceAccount does not exist' }
    if (roleReference.state === 'known') return { status: 'pass', evidence: ofReference(roleReference) }
    const { namespace, name, annotations } = serviceAccount.value
    const annotated = (value: string | undefined): Annotated => ({
      namespace,
      serviceAccount: name,
      role: roleIn(value),
    })
    const around = unbound.state === 'known' ? unbound.value : undefined
    const errors = errorsOfServiceAccount.state === 'known' ? errorsOfServiceAccount.value : []
    const missed = errors.filter(({ text, fragment }) => ofThisCheck.has(fragment) || speaksOfAws.test(text))
    const told = missed.slice(0, 1).map(ofError)
    const on = (key: string) => [
      { question: serviceAccount.from, path: `metadata.annotations["${key}"]`, observed: annotations[key] ?? null },
      ...told,
    ]
    if (around?.byHand !== undefined)
      return { status: 'not-applicable', reason: `${around.byHand} sets the variables of its role itself` }
    const foreign = foreignKey(annotations)
    // A webhook with another --annotation-prefix has evidently read it.
    if (foreign !== undefined && around?.left?.role === foreign.value)
      return { status: 'pass', evidence: on(foreign.key) }
    if (foreign?.kind === 'misspelt')
      return {
        status: 'fail',
        message: 'key-misspelt',
        data: { key: foreign.key, ...annotated(foreign.value) },
        evidence: [
          {
            question: serviceAccount.from,
            path: 'metadata.annotations',
            observed: foreign.key,
            expected: roleAnnotation,
            words: { observed: 'is called', expected: 'is read' },
          },
          ...told,
        ],
      }
    if (foreign?.kind === 'other-tool')
      return {
        status: 'fail',
        message: 'key-of-other-tool',
        data: { key: foreign.key, tool: foreign.tool, ...annotated(foreign.value) },
        evidence: on(foreign.key),
      }
    if (annotations[roleAnnotation] === '')
      return { status: 'fail', message: 'value-empty', data: annotated(undefined), evidence: on(roleAnnotation) }
    if (around?.misplaced !== undefined)
      return {
        status: 'fail',
        message: 'annotation-on-other-object',
        data: { kind: around.misplaced.kind, name: around.misplaced.name, ...annotated(around.misplaced.value) },
        evidence: on(roleAnnotation),
      }
    if (around?.left !== undefined)
      return {
        status: 'fail',
        message: 'annotation-lost',
        data: { ...annotated(undefined), role: around.left.role, manager: lastWriter(serviceAccount.value) },
        evidence: on(roleAnnotation),
      }
    if (around?.mapKey !== undefined)
      return { status: 'not-applicable', reason: `the webhook's map means it by ${around.mapKey}` }
    if (around?.bound !== undefined)
      return { status: 'not-applicable', reason: `the identity is that of ServiceAccount ${around.bound}` }
    if (around?.ofAnotherCloud === true && missed.length === 0)
      return { status: 'not-applicable', reason: 'its workloads ask for the identity of another cloud' }
    if (around?.otherTool !== undefined)
      return {
        status: 'undecided',
        lacks: `its pods name a role to ${around.otherTool}, and whether that runs was not seen`,
      }
    if (roleReference.state === 'unknown')
      return { status: 'undecided', lacks: 'no annotation names a role, and whether an association does was not seen' }
    return { status: 'fail', message: 'none', data: { name, ...annotated(undefined) }, evidence: on(roleAnnotation) }
  },
})
