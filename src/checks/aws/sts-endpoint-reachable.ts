/** Whether the workload asks STS where STS is. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, advice, editTemplate, type Place, placeOf, podsOf, unsetVariables } from '../../domain/advice.ts'
import { isOpen, overrideOf, troubleIn } from '../../domain/aws-endpoint.ts'
import { injectedInto } from '../../domain/aws-injection.ts'
import { sh } from '../../domain/shell-words.ts'
import { awsRegions } from '../../knowledge/aws-regions.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { isWebIdentity, roleReference } from '../../probes/aws/role-reference.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'
import { errorsOfPod } from '../../probes/workload/observed-errors.ts'
import { pod } from '../../probes/workload/pod.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

type Where = Place & Account
type Silent = Where & { readonly error: string }

/** KServe hands the endpoint of this annotation to every client of its storage initializer. */
const s3Endpoint = 'serving.kserve.io/s3-endpoint'

const regionalEndpoints = (data: Where): readonly string[] => [
  sh`kubectl annotate serviceaccount/${data.serviceAccount} -n ${data.namespace} eks.amazonaws.com/sts-regional-endpoints=true --overwrite`,
  podsOf(data),
]
const inTemplate = (data: Where, sentence: string): string => {
  const { where, commands } = editTemplate(data)
  return advice(`${sentence} in ${where}.`, ...commands)
}

export const check = defineCheck({
  meta: {
    id: 'aws/sts-endpoint-reachable',
    title: 'The workload reaches the right STS endpoint',
    severity: 'error',
    scope: 'pod',
    cloud: 'aws',
    section: 'Workload',
    why: 'A token is worth nothing to a workload that asks somebody else than STS, or gets no answer.',
    fix: {
      safety: 'review',
      does: 'Annotate the ServiceAccount with eks.amazonaws.com/sts-regional-endpoints "true" and restart the workload for the global endpoint; endpoints, NAT, proxies and settings of applications are described.',
    },
    links: [
      'https://github.com/aws/containers-roadmap/issues/586',
      'https://github.com/kubernetes-sigs/external-dns/issues/1470',
      'https://github.com/aws/karpenter-provider-aws/issues/1313',
      'https://github.com/fluxcd/source-controller/pull/1552',
      'https://github.com/kserve/kserve/issues/3482',
      'https://github.com/crossplane-contrib/provider-aws/issues/1441',
    ],
  },
  needs: {},
  wants: { errorsOfPod, roleReference, pod, serviceAccount },
  after: [],
  messages: {
    'endpoint-overridden': ({ setting, endpoint }: Where & { setting: string; endpoint: string; variable: string }) =>
      `${setting} sends the calls to ${endpoint}, and STS is asked there too`,
    'region-does-not-exist': ({ host, region }: Where & { host: string; region: string }) =>
      `${host} has no address: ${region} is no AWS region`,
    'region-missing': ({ container }: Where & { container: string }) =>
      `${container} has neither AWS_REGION nor AWS_DEFAULT_REGION, and instance metadata is out of reach`,
    'name-points-elsewhere': ({ target }: Where & { target: string }) =>
      `sts.amazonaws.com leads to ${target}, whose certificate is for another name`,
    'endpoint-policy-refuses': ({ endpoint }: Where & { endpoint: string }) =>
      `the policy of VPC endpoint ${endpoint} does not allow sts:AssumeRoleWithWebIdentity`,
    'global-endpoint-unreachable': ({ error }: Silent) =>
      `the global endpoint sts.amazonaws.com does not answer (${error}); a VPC endpoint serves only the regional name`,
    'regional-endpoint-unreachable': ({ host, error }: Silent & { host: string }) =>
      `${host} does not answer (${error})`,
  },
  remedies: {
    'endpoint-overridden': (data) => {
      if (data.variable === '')
        return advice(
          `Take ${data.setting} away if it names an endpoint of AWS itself, which is the default, or use a version of the application that keeps it for storage alone.`,
          sh`kubectl annotate serviceaccount/${data.serviceAccount} -n ${data.namespace} ${`${s3Endpoint}-`}`,
        )
      return advice(
        `Take ${data.setting} out of ${editTemplate(data).where}; where storage needs an endpoint of its own, AWS_ENDPOINT_URL_S3 names it for that alone.`,
        ...unsetVariables(data, [data.variable]),
      )
    },
    'region-does-not-exist': (data) =>
      inTemplate(
        data,
        `Write an AWS region in the place of ${data.region}: AWS_REGION, or the region of the application,`,
      ),
    'region-missing': (data) => inTemplate(data, 'Set AWS_REGION to the region of the cluster'),
    'name-points-elsewhere': (data) =>
      advice(
        'Have whoever runs the DNS of the VPC let sts.amazonaws.com and its regional names lead to AWS again, or to a VPC endpoint for STS: a private zone or a proxy answers for them now.',
        sh`kubectl exec ${data.workload} -n ${data.namespace} -- getent hosts sts.amazonaws.com`,
      ),
    'endpoint-policy-refuses': ({ endpoint }) =>
      advice(
        'Have whoever owns the VPC endpoint for STS allow sts:AssumeRoleWithWebIdentity in its policy; the call is not signed, so no condition on the caller can hold for it.',
        endpoint.startsWith('vpce-')
          ? sh`aws ec2 describe-vpc-endpoints --vpc-endpoint-ids ${endpoint}`
          : 'aws ec2 describe-vpc-endpoints',
      ),
    'global-endpoint-unreachable': (data) =>
      advice(
        'Have the workload ask the regional endpoint: annotate the ServiceAccount, then restart what runs as it (the last command lists the pods).',
        ...regionalEndpoints(data),
      ),
    'regional-endpoint-unreachable': (data) =>
      advice(
        `Give the subnets of the nodes a way to ${data.host}, port 443: a VPC endpoint for STS with private DNS, a NAT gateway or a proxy, and security groups and network policies that let it through.`,
        sh`kubectl exec ${data.workload} -n ${data.namespace} -- curl -sS -m 5 -o /dev/null ${`https://${data.host}`}`,
      ),
  },
  judge: ({ want: { errorsOfPod, roleReference, pod, serviceAccount }, subject }) => {
    const place: Place =
      pod.state === 'known' ? { workload: workloadOf(pod.value), namespace: pod.value.namespace } : placeOf(subject)
    const account = serviceAccount.state === 'known' ? serviceAccount.value : undefined
    const where: Where = {
      ...place,
      serviceAccount: pod.state === 'known' ? pod.value.serviceAccount : (account?.name ?? 'SERVICEACCOUNT'),
    }
    const errors = errorsOfPod.state === 'known' ? errorsOfPod.value : []
    const troubles = errors.flatMap((error) => {
      const trouble = troubleIn(error.text)
      return trouble === undefined ? [] : [{ trouble, evidence: [ofError(error)] }]
    })
    const federated =
      pod.state === 'known' ? pod.value.containers.filter((one) => injectedInto(one) === 'web-identity') : []
    const override = federated.map(overrideOf).find((one) => one !== undefined)
    if (override !== undefined) {
      const { setting, endpoint, container } = override
      const evidence: readonly Evidence[] = [
        { question: pod.from, path: `container ${container}, ${setting}`, observed: endpoint },
      ]
      return {
        status: 'fail',
        message: 'endpoint-overridden',
        data: { ...where, setting, endpoint, variable: setting },
        evidence,
      }
    }
    for (const { trouble, evidence } of troubles) {
      switch (trouble.kind) {
        case 'not-sts': {
          const endpoint = account?.annotations[s3Endpoint]
          if (endpoint === undefined)
            return {
              status: 'undecided',
              lacks: 'something other than STS answered, and no setting that leads there was seen',
              lift: 'kubectl get serviceaccounts,pods -o yaml',
              evidence,
            }
          const path = `metadata.annotations["${s3Endpoint}"]`
          return {
            status: 'fail',
            message: 'endpoint-overridden',
            data: { ...where, setting: `annotation ${s3Endpoint}`, endpoint: endpoint.slice(0, 200), variable: '' },
            evidence: [{ question: serviceAccount.from, path, observed: endpoint.slice(0, 200) }, ...evidence],
          }
        }
        case 'no-region': {
          const lacking = federated.find(({ env }) => !('AWS_REGION' in env) && !('AWS_DEFAULT_REGION' in env))
          const container = lacking === undefined ? 'the container' : `container ${lacking.name}`
          return { status: 'fail', message: 'region-missing', data: { ...where, container }, evidence }
        }
        case 'other-certificate':
          return {
            status: 'fail',
            message: 'name-points-elsewhere',
            data: { ...where, target: trouble.target },
            evidence,
          }
        case 'endpoint-policy':
          return {
            status: 'fail',
            message: 'endpoint-policy-refuses',
            data: { ...where, endpoint: trouble.endpoint },
            evidence,
          }
        case 'no-name':
        case 'silent': {
          const { host, region } = trouble
          const error = trouble.kind === 'silent' ? trouble.error : 'no such host'
          if (region === undefined)
            return { status: 'fail', message: 'global-endpoint-unreachable', data: { ...where, error }, evidence }
          return trouble.kind === 'no-name' && !awsRegions.has(region)
            ? { status: 'fail', message: 'region-does-not-exist', data: { ...where, host, region }, evidence }
            : {
                status: 'fail',
                message: 'regional-endpoint-unreachable',
                data: { ...where, host, error },
                evidence,
              }
        }
      }
    }
    if (roleReference.state === 'absent' || (roleReference.state === 'known' && !isWebIdentity(roleReference.value)))
      return { status: 'not-applicable', reason: 'the workload asks STS for nothing' }
    if (pod.state !== 'known') return { status: 'undecided', lacks: 'no pod was seen, and no answer to one' }
    const settings = federated.flatMap(({ name, env }): readonly Evidence[] => {
      const region = env.AWS_REGION ?? env.AWS_DEFAULT_REGION
      return typeof region === 'string' && region !== ''
        ? [{ question: pod.from, path: `container ${name}, AWS_REGION`, observed: region }]
        : []
    })
    if (federated.some(isOpen) || settings.length === 0 || settings.length < federated.length)
      return { status: 'not-applicable', reason: 'the pod does not say which endpoint it asks, and none failed' }
    return { status: 'pass', evidence: settings }
  },
})
