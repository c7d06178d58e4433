/** Whether the application takes its credentials by the mechanism that its pod is given. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import { isNodeSession } from '../../domain/aws-callers.ts'
import { isAgent, lacksStsModule, podIdentitySince, refusedHostIn } from '../../domain/sdk-refusals.ts'
import { sh } from '../../domain/shell-words.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { mechanism } from '../../probes/aws/mechanism.ts'
import { providerConfigs } from '../../probes/aws/provider-configs.ts'
import { isWebIdentity, roleReference } from '../../probes/aws/role-reference.ts'
import { pod } from '../../probes/workload/pod.ts'

const unseen = 'nothing was seen of how the application gets its credentials'
const ways = { 'web-identity': 'web identity', 'container-credentials': 'EKS Pod Identity' } as const
/** What Crossplane calls them: https://github.com/crossplane-contrib/provider-upjet-aws/blob/main/AUTHENTICATION.md */
const selects = { IRSA: 'web-identity', PodIdentity: 'container-credentials' } as const
const boundBy = {
  annotation: 'web-identity',
  'config-map': 'web-identity',
  association: 'container-credentials',
} as const
const anySdk = Object.values(podIdentitySince).join('; ')

type At = Place & { readonly host: string }

export const check = defineCheck({
  meta: {
    id: 'aws/sdk-supports-mechanism',
    title: 'The application uses the mechanism that it is given',
    severity: 'error',
    scope: 'pod',
    cloud: 'aws',
    section: 'Workload',
    why: 'An SDK that is older than a mechanism, or that was told to use another, passes it over without a word and falls through to the next credentials: most often those of the node.',
    fix: {
      safety: 'manual',
      does: 'Take the SDK to the oldest version that knows the mechanism, or change the setting that selects another; what is in an image is for its owner to change.',
    },
    links: [
      'https://github.com/kubernetes-sigs/external-dns/issues/4353',
      'https://github.com/crossplane-contrib/provider-upjet-aws/issues/1252',
      'https://github.com/activeloopai/deeplake/issues/3161',
      'https://github.com/external-secrets/kubernetes-external-secrets/issues/161',
      'https://docs.aws.amazon.com/eks/latest/userguide/iam-roles-for-service-accounts-minimum-sdk.html',
      'https://docs.aws.amazon.com/eks/latest/userguide/pod-id-minimum-sdk.html',
    ],
  },
  only: { probe: mechanism, otherwise: unseen },
  needs: { mechanism },
  wants: { pod, providerConfigs, roleReference },
  after: ['aws/pod-is-injected'],
  messages: {
    'pod-identity-host-refused': ({ host }: At & { since: string }) =>
      `the SDK refuses the agent's address ${host}: it is older than Pod Identity`,
    'container-host-refused': ({ host }: At) =>
      `AWS_CONTAINER_CREDENTIALS_FULL_URI points to ${host}, which the SDK does not accept`,
    'sts-module-missing': (_data: Place) => 'the Java SDK lacks its sts module, without which it skips web identity',
    'mechanism-forced': ({ object, selected, given }: Place & { object: string; selected: string; given: string }) =>
      `${object} selects ${selected}; the workload is given ${given}`,
    'web-identity-ignored': ({ expected, observed }: Place & { expected: string; observed: string }) =>
      `the pod can assume ${expected}, but the application acts as ${observed}: its SDK, or its own list of providers, skips web identity`,
  },
  remedies: {
    'pod-identity-host-refused': (data) =>
      advice(
        `Build the image of ${data.workload} with an SDK that knows EKS Pod Identity (from ${data.since} on), or take a release of the application that has one; until then give the ServiceAccount the role by its annotation instead.`,
      ),
    'container-host-refused': (data) => {
      const { where, commands } = editTemplate(data)
      return advice(
        `Take AWS_CONTAINER_CREDENTIALS_FULL_URI out of ${where}, so that the webhook of EKS sets it, or point it to an address that SDKs take: loopback, 169.254.170.2, 169.254.170.23 or fd00:ec2::23.`,
        ...commands,
      )
    },
    'sts-module-missing': (data) =>
      advice(
        `Add software.amazon.awssdk:sts, in the version of the other modules of the SDK, to what ${data.workload} is built with, and roll the new image out.`,
      ),
    'mechanism-forced': (data) =>
      advice(
        `Have ${data.object} select what the workload is given (spec.credentials.source: ${data.given === ways['web-identity'] ? 'IRSA' : 'PodIdentity'}), or give the ServiceAccount its role by the other mechanism.`,
        sh`kubectl edit providerconfig.aws.upbound.io/${data.object.split(' ').at(-1) ?? 'NAME'}`,
      ),
    'web-identity-ignored': (data) =>
      advice(
        `See that no client in the application of ${data.workload} is given a list of providers of its own, and that its SDK knows web identity (boto3 1.9.220, AWS SDK for Go 1.23.13, AWS SDK for Java 2.10.11, or later).`,
        sh`kubectl exec ${data.workload} -n ${data.namespace} -- printenv AWS_ROLE_ARN AWS_WEB_IDENTITY_TOKEN_FILE`,
      ),
  },
  judge: ({ have: { mechanism }, want: { pod, providerConfigs, roleReference }, subject }) => {
    if (mechanism.state === 'absent') return { status: 'not-applicable', reason: unseen }
    const { refusals, calls, hosts, unborn } = mechanism.value
    const place = placeOf(subject)
    const refused = refusals.flatMap((error) => {
      const found = refusedHostIn(error.text)
      return found === undefined ? [] : [{ ...found, evidence: [ofError(error)] }]
    })
    const agent = refused.find(({ host }) => isAgent(host))
    if (agent !== undefined)
      return {
        status: 'fail',
        message: 'pod-identity-host-refused',
        data: { ...place, host: agent.host, since: podIdentitySince[agent.sdk] },
        evidence: agent.evidence,
      }
    const other = refused[0]
    if (other !== undefined)
      return {
        status: 'fail',
        message: 'container-host-refused',
        data: { ...place, host: other.host },
        evidence: other.evidence,
      }
    const ofHost = ({ container, host }: { container: string; host: string }): Evidence => ({
      question: pod.from,
      path: `spec.containers[${container}].env[AWS_CONTAINER_CREDENTIALS_FULL_URI]`,
      observed: host,
      expected: 'loopback, 169.254.170.2, 169.254.170.23 or fd00:ec2::23',
    })
    const wrong = hosts.find(({ taken }) => taken === 'refused')
    if (wrong !== undefined)
      return {
        status: 'fail',
        message: 'container-host-refused',
        data: { ...place, host: wrong.host },
        evidence: [ofHost(wrong)],
      }
    const module = refusals.find(({ text }) => lacksStsModule(text))
    if (module !== undefined)
      return { status: 'fail', message: 'sts-module-missing', data: place, evidence: [ofError(module)] }
    const reference = roleReference.state === 'known' ? roleReference.value : undefined
    const bound = reference === undefined || !unborn ? undefined : boundBy[reference.via]
    const given = mechanism.value.given ?? bound
    if (given !== undefined && providerConfigs.state === 'known')
      for (const { name, source } of providerConfigs.value.items)
        if ((source === 'IRSA' || source === 'PodIdentity') && selects[source] !== given)
          return {
            status: 'fail',
            message: 'mechanism-forced',
            data: { ...place, object: `ProviderConfig ${name}`, selected: source, given: ways[given] },
            evidence: [
              {
                question: providerConfigs.from,
                path: `items[${name}].spec.credentials.source`,
                observed: source,
                expected: given === 'web-identity' ? 'IRSA' : 'PodIdentity',
              },
            ],
          }
    const own = calls.find(
      ({ caller }) =>
        caller.kind === 'session' &&
        reference?.arn?.name === caller.name &&
        reference.arn.account === caller.account &&
        !isNodeSession(caller),
    )
    const node = calls.find(({ caller }) => isNodeSession(caller))
    // A session of Pod Identity is no proof of web identity.
    const byWebIdentity = own !== undefined && !own.caller.session?.startsWith('eks-')
    if (
      subject.kind === 'Pod' &&
      byWebIdentity &&
      node !== undefined &&
      reference !== undefined &&
      isWebIdentity(reference)
    )
      return {
        status: 'fail',
        message: 'web-identity-ignored',
        data: { ...place, expected: reference.value, observed: node.arn },
        evidence: [node, own].map(({ arn, error }) => ({ ...ofError(error), observed: arn })),
      }
    const said = [...refusals.map(ofError), ...hosts.map(ofHost)]
    if (said.length > 0)
      return {
        status: 'undecided',
        lacks: `which host the SDK was to ask for credentials, and whether it takes it, was not seen (EKS Pod Identity needs ${anySdk})`,
        evidence: said,
      }
    return own !== undefined && node === undefined
      ? { status: 'pass', evidence: [{ ...ofError(own.error), observed: own.arn }] }
      : { status: 'not-applicable', reason: unseen }
  },
})
