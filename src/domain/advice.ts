/** What a person is told to do, as lines: a sentence or two on the first, one command on each of the others. */
import { roleAnnotation } from './audiences.ts'
import { sh } from './shell-words.ts'

/** A value never begins a line of its own: it would read as a command. */
// biome-ignore lint/suspicious/noControlCharactersInRegex: finding control characters is what this is for
const breaks = /[\u0000-\u001f\u007f-\u009f\u2028\u2029]+/gu

/** Where the names are that an error text alone does not tell. */
function hint(commands: readonly string[]): string {
  if (commands.some((command) => /\/SERVICEACCOUNT\b|=SERVICEACCOUNT\b/.test(command)))
    return ' SERVICEACCOUNT and NAMESPACE are those of the workload in question.'
  return commands.some((command) => /\/NAME -n NAMESPACE\b/.test(command))
    ? ' NAME and NAMESPACE are those of the workload in question.'
    : ''
}

/** `commands` come from `sh`, which keeps each on one line. */
export const advice = (sentence: string, ...commands: readonly string[]): string =>
  [`${sentence.replace(breaks, ' ')}${hint(commands)}`, ...commands].join('\n')

/** In the place of what was not seen. */
export const unnamed = {
  namespace: 'NAMESPACE',
  workload: 'deployment/NAME',
  role: 'ROLE',
  roleArn: 'ROLE_ARN',
} as const

export type Account = { readonly namespace: string; readonly serviceAccount: string }

/** Whom a finding about a ServiceAccount is about; placeholders where the cluster answers for one that was not seen. */
export const accountOf = (subject: Subject): Account =>
  subject.kind === 'ServiceAccount'
    ? { namespace: subject.namespace ?? unnamed.namespace, serviceAccount: subject.name }
    : { namespace: unnamed.namespace, serviceAccount: 'SERVICEACCOUNT' }

/** `deployment/cart` in its namespace. */
export type Place = { readonly workload: string; readonly namespace: string }

type Subject = { readonly kind: string; readonly namespace?: string; readonly name: string }

/** The pod that a finding is about; a placeholder where somebody answers for pods that were not seen. */
export const placeOf = ({ kind, namespace, name }: Subject): Place => ({
  workload: kind === 'Pod' ? `pod/${name}` : unnamed.workload,
  namespace: namespace ?? unnamed.namespace,
})

/** Kinds whose pods kubectl replaces when their template changes. */
const rolls = (workload: string): boolean => /^(?:deployment|statefulset|daemonset)\//.test(workload)
const kindOf = (workload: string): string => workload.slice(0, Math.max(0, workload.indexOf('/')))

/** What makes new pods: the words, `restart deployment/cart`, and the command where there is one. */
export function restart({ workload, namespace }: Place): {
  readonly words: string
  readonly commands: readonly string[]
} {
  if (rolls(workload))
    return { words: `restart ${workload}`, commands: [sh`kubectl rollout restart ${workload} -n ${namespace}`] }
  const kind = kindOf(workload)
  if (kind === 'pod') return { words: `make ${workload} anew from its manifest (nothing else does)`, commands: [] }
  if (kind === 'job') return { words: `run ${workload} again as a new Job`, commands: [] }
  if (kind === 'cronjob') return { words: `wait for the next run of ${workload}`, commands: [] }
  return { words: `have ${workload} make its pods anew`, commands: [] }
}

/** How the pod template of a workload is changed by hand. */
export function editTemplate({ workload, namespace }: Place): {
  readonly where: string
  readonly commands: readonly string[]
} {
  if (rolls(workload) || kindOf(workload) === 'cronjob')
    return { where: `the pod template of ${workload}`, commands: [sh`kubectl edit ${workload} -n ${namespace}`] }
  return kindOf(workload) === 'pod'
    ? { where: `the manifest of ${workload} (and make the pod anew from it)`, commands: [] }
    : { where: `the pod template of ${workload} (and run it anew)`, commands: [] }
}

/** A strategic merge of one member of the pod's spec into the template; without a command where the kind takes none. */
export function patchSpec({ workload, namespace }: Place, spec: object): readonly string[] {
  const template = { template: { spec } }
  if (rolls(workload)) return [sh`kubectl patch ${workload} -n ${namespace} -p ${JSON.stringify({ spec: template })}`]
  return kindOf(workload) === 'cronjob'
    ? [
        sh`kubectl patch ${workload} -n ${namespace} -p ${JSON.stringify({ spec: { jobTemplate: { spec: template } } })}`,
      ]
    : []
}

/** Takes variables out of one container of the template, or out of all. */
export function unsetVariables(place: Place, names: readonly string[], container?: string): readonly string[] {
  const { workload, namespace } = place
  if (!rolls(workload) && kindOf(workload) !== 'cronjob') return []
  const where = container === undefined ? '' : sh` -c ${container}`
  return [`${sh`kubectl set env ${workload} -n ${namespace}`}${where} ${names.map((name) => `${name}-`).join(' ')}`]
}

/** The pods that have to be made anew after a change to their ServiceAccount. */
export const podsOf = ({ namespace, serviceAccount }: Account): string =>
  sh`kubectl get pods -n ${namespace} --field-selector spec.serviceAccountName=${serviceAccount}`

export const annotateRole = ({ namespace, serviceAccount }: Account, role: string, key: string = roleAnnotation) =>
  sh`kubectl annotate serviceaccount/${serviceAccount} -n ${namespace} ${key}=${role} --overwrite`

/** What names the role: the key is that of the annotation, or of the webhook's map. */
export type Binding = Account & { readonly via: string; readonly key: string }

/** What gives the ServiceAccount this role by the means that it is bound by, and what has to follow. */
export function setRole(
  binding: Binding,
  role: string,
): { readonly words: string; readonly commands: readonly string[] } {
  const { namespace, serviceAccount, via, key } = binding
  if (via === 'association')
    return {
      words: `give its Pod Identity association ${role}`,
      commands: [
        sh`aws eks list-pod-identity-associations --cluster-name CLUSTER --namespace ${namespace} --service-account ${serviceAccount}`,
        sh`aws eks update-pod-identity-association --cluster-name CLUSTER --association-id ASSOCIATION_ID --role-arn ${role}`,
      ],
    }
  if (via === 'config-map')
    return {
      words: `write ${role} under ${key} in ConfigMap pod-identity-webhook, then restart what runs as ${serviceAccount} (the last command lists the pods)`,
      commands: ['kubectl get configmaps -A --field-selector metadata.name=pod-identity-webhook', podsOf(binding)],
    }
  return {
    words: `annotate the ServiceAccount with ${role}, then restart what runs as it (the last command lists the pods)`,
    commands: [annotateRole(binding, role, key), podsOf(binding)],
  }
}

export const listRoles = "aws iam list-roles --query 'Roles[].Arn' --output text"

/** A trust policy is replaced as a whole: taken from IAM, changed in one place, put back. */
export const changeTrust = (role: string): readonly string[] => [
  sh`aws iam get-role --role-name ${role} --query Role.AssumeRolePolicyDocument --output json > trust.json`,
  putTrust(role),
]
export const putTrust = (role: string): string =>
  sh`aws iam update-assume-role-policy --role-name ${role} --policy-document file://trust.json`
