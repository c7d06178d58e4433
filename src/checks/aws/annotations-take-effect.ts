/** Whether the webhook takes the optional annotations for what their author meant. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import type { Question } from '../../core/fact.ts'
import { advice, podsOf } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import {
  tokenExpiration as expiration,
  leastExpiration as least,
  meantExpiration,
  meantRegional,
  regionalEndpoints as regional,
} from '../../domain/webhook-annotations.ts'
import { podsOfServiceAccount } from '../../probes/workload/pods.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

/** As strconv.ParseBool and strconv.ParseInt have it: https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/cache/cache.go */
const boolean = /^(?:1|t|T|TRUE|true|True|0|f|F|FALSE|false|False)$/
const wholeNumber = /^[+-]?\d{1,18}$/

/** `on`: serviceaccount/cart, or pod/cart-x where the pod itself has it. */
type Place = { readonly on: string; readonly namespace: string; readonly serviceAccount: string }
type Value = Place & { readonly value: string }

function set(place: Place, key: string, value: string): string {
  if (place.on.startsWith('pod/'))
    return advice(
      `Write ${key}: "${value}" into the annotations of the pod template behind ${place.on}; it counts for new pods only.`,
      sh`kubectl get ${place.on} -n ${place.namespace} -o ${'jsonpath={.metadata.ownerReferences[0].kind}/{.metadata.ownerReferences[0].name}'}`,
    )
  return advice(
    'Correct the annotation, then restart what runs as the ServiceAccount: it counts for new pods only (the last command lists the pods).',
    sh`kubectl annotate ${place.on} -n ${place.namespace} ${`${key}=${value}`} --overwrite`,
    podsOf(place),
  )
}

export const check = defineCheck({
  meta: {
    id: 'aws/annotations-take-effect',
    title: "The webhook's optional annotations take effect",
    severity: 'warning',
    scope: 'service-account',
    cloud: 'aws',
    section: 'Workload',
    why: 'The webhook passes over a value that it cannot read without a word, and the workload goes on with the default.',
    fix: {
      safety: 'safe',
      does: 'Correct the annotation ("regional" becomes "true"); it counts for new pods only.',
    },
    links: [
      'https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/cache/cache.go',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/blob/3bf80a3/pkg/handler/handler.go',
      'https://github.com/aws/amazon-eks-pod-identity-webhook/issues/105',
    ],
  },
  needs: { serviceAccount },
  wants: { podsOfServiceAccount },
  after: [],
  messages: {
    'regional-sts-ignored': ({ value }: Value) => `${regional} "${value}" is no boolean and is ignored`,
    'token-expiration-ignored': ({ value }: Value) => `${expiration} "${value}" is no whole number and is ignored`,
    'token-expiration-raised': ({ value }: Value) => `${expiration} ${value} is raised to ${least}`,
  },
  remedies: {
    'regional-sts-ignored': (data) => set(data, regional, meantRegional(data.value)),
    'token-expiration-ignored': (data) => set(data, expiration, String(meantExpiration(data.value))),
    'token-expiration-raised': (data) => set(data, expiration, String(least)),
  },
  judge: ({ have: { serviceAccount }, want: { podsOfServiceAccount } }) => {
    if (serviceAccount.state === 'absent')
      return { status: 'not-applicable', reason: 'there is no such ServiceAccount' }
    const { name, namespace, annotations } = serviceAccount.value
    const account = { on: `serviceaccount/${name}`, namespace, serviceAccount: name }
    const evidenceOf = (question: Question, key: string, observed: string): readonly Evidence[] => [
      { question, path: `metadata.annotations["${key}"]`, observed },
    ]
    const short = (value: string): string => (value.length > 100 ? `${value.slice(0, 100)}…` : value)
    const wantsRegional = annotations[regional]
    if (wantsRegional !== undefined && !boolean.test(wantsRegional))
      return {
        status: 'fail',
        message: 'regional-sts-ignored',
        data: { ...account, value: short(wantsRegional) },
        evidence: evidenceOf(serviceAccount.from, regional, short(wantsRegional)),
      }
    const pods = podsOfServiceAccount.state === 'known' ? podsOfServiceAccount.value.items : []
    const places = [
      { place: account, value: annotations[expiration], from: serviceAccount.from },
      ...pods.map((pod) => ({
        place: { ...account, on: `pod/${pod.name}` },
        value: pod.annotations[expiration],
        from: podsOfServiceAccount.from,
      })),
    ]
    const lasts = places.flatMap(({ value, ...rest }) => (value === undefined ? [] : [{ ...rest, value }]))
    const ignored = lasts.find(({ value }) => !wholeNumber.test(value))
    if (ignored !== undefined)
      return {
        status: 'fail',
        message: 'token-expiration-ignored',
        data: { ...ignored.place, value: short(ignored.value) },
        evidence: evidenceOf(ignored.from, expiration, short(ignored.value)),
      }
    const raised = lasts.find(({ value }) => Number(value) < least)
    if (raised !== undefined)
      return {
        status: 'fail',
        message: 'token-expiration-raised',
        data: { ...raised.place, value: raised.value },
        evidence: evidenceOf(raised.from, expiration, raised.value),
      }
    if (wantsRegional === undefined && lasts.length === 0)
      return { status: 'not-applicable', reason: 'no optional annotation is set' }
    return {
      status: 'pass',
      evidence: [
        ...(wantsRegional === undefined ? [] : evidenceOf(serviceAccount.from, regional, wantsRegional)),
        ...lasts.flatMap(({ from, value }) => evidenceOf(from, expiration, value)),
      ],
    }
  },
})
