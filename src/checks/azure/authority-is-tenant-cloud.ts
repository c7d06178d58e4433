/** Whether the pod asks the authority of its tenant's cloud, over https. */
import { defineCheck, type Evidence } from '../../core/check.ts'
import { type Account, accountOf, advice } from '../../domain/advice.ts'
import { annotate, unseen } from '../../domain/azure-advice.ts'
import { authorityUrl, cloudOfAuthority, clouds } from '../../domain/azure-clouds.ts'
import { directoryIn } from '../../domain/azure-errors.ts'
import { tenantAnnotation } from '../../domain/azure-pods.ts'
import { errorsIn, held, ofError, speaking } from '../../probes/azure/evidence.ts'
import { askedAuthority, askedTenant, webhookSettings } from '../../probes/azure/reference.ts'
import { ofRefusal, refusals } from '../../probes/azure/refusals.ts'
import { homeCloud, tenantAnswer } from '../../probes/azure/tenant.ts'
import { azureUse } from '../../probes/azure/use.ts'
import { errorsOfServiceAccount } from '../../probes/workload/observed-errors.ts'

type Data = Account & { readonly authority: string; readonly tenant: string; readonly code: string }

const crossCloud = /Confidential Client is not supported in Cross Cloud request/
const notHttps = /The authorityHost address must use the 'https' protocol\.|the Authority does not appear to use https/

const environment = (): string =>
  advice(
    'Set azureEnvironment in the chart of the webhook to the cloud of the tenant (AzurePublicCloud, AzureUSGovernmentCloud or AzureChinaCloud), and make the pods anew; or set the cloud in the configuration of the tool that asks.',
    'kubectl get configmap azure-wi-webhook-config -n azure-workload-identity-system -o yaml',
    'az cloud show --query name -o tsv',
  )

export const check = defineCheck({
  meta: {
    id: 'azure/authority-is-tenant-cloud',
    title: "The pod asks the authority of its tenant's cloud, over https",
    severity: 'error',
    scope: 'service-account',
    cloud: 'azure',
    section: 'Identity',
    why: 'Each cloud of Azure has an authority of its own, which knows only its own tenants; an empty one means that the webhook did not run.',
    fix: {
      safety: 'manual',
      does: "Set azureEnvironment in the webhook's chart, or the tenant id where it comes from: annotation, ConfigMap, or the tool's own configuration.",
    },
    links: [
      'https://github.com/vmware-tanzu/velero/issues/3786',
      'https://github.com/kubernetes-sigs/external-dns/pull/4418',
      'https://github.com/Azure/azure-workload-identity/issues/611',
      'https://github.com/Azure/azure-workload-identity/blob/04d01a2/pkg/webhook/webhook.go',
    ],
  },
  only: { probe: azureUse, otherwise: 'nothing binds it to Azure' },
  needs: {},
  wants: {
    webhookSettings,
    askedAuthority,
    askedTenant,
    homeCloud,
    refusals,
    errorsOfServiceAccount,
    tenantAnswer,
  },
  after: [],
  messages: {
    'environment-differs': ({
      configMap,
      observed,
      expected,
    }: Data & { configMap: string; observed: string; expected: string }) =>
      `AZURE_ENVIRONMENT of ConfigMap ${configMap} is ${observed}, the identity lives in ${expected}`,
    'tenant-not-found': ({ tenant, authority, code }: Data) =>
      `tenant ${tenant} does not exist at ${authority} (AADSTS${code}); wrong tenant id or wrong cloud`,
    'cross-cloud': ({ authority, code }: Data) =>
      `the authority ${authority} belongs to another cloud than the tenant (AADSTS${code})`,
    'authority-not-https': ({ observed }: Data & { observed: string }) =>
      `AZURE_AUTHORITY_HOST is "${observed}", expected an https URL; an empty one means that the webhook did not run`,
  },
  remedies: {
    'environment-differs': environment,
    'tenant-not-found': (data) =>
      advice(
        "Put the tenant id right where it comes from: the annotation of the ServiceAccount, the webhook's chart (azureTenantID), or the configuration file of the tool, which wins (TENANT_ID: what the first command prints, in the cloud of the identity).",
        'az account show --query tenantId -o tsv',
        annotate(data, tenantAnnotation, unseen.tenant),
      ),
    'cross-cloud': environment,
    'authority-not-https': () =>
      advice(
        'See that the webhook runs and that the pod carries its label, then make the pod anew; where the variable is set by hand, give it the https address of the authority.',
        'kubectl get mutatingwebhookconfigurations -o yaml',
        'kubectl get pods -A -l azure.workload.identity/use=true -o yaml',
      ),
  },
  judge: ({
    want: { webhookSettings, askedAuthority, askedTenant, homeCloud, refusals, errorsOfServiceAccount, tenantAnswer },
    subject,
  }) => {
    const settings = held(webhookSettings)
    const authority = held(askedAuthority)
    const tenant = held(askedTenant)
    const all = held(refusals) ?? []
    const errors = errorsIn(errorsOfServiceAccount)
    const missing = all.find(({ code }) => ['90002', '900021', '900023'].includes(code))
    const environment = clouds.find((one) => one === settings?.environment)
    const data: Data = {
      ...accountOf(subject),
      authority:
        authority?.value || (environment === undefined ? 'the authority that was asked' : authorityUrl(environment)),
      tenant:
        (missing === undefined ? undefined : directoryIn(missing.text)) ?? tenant?.value ?? 'that the workload names',
      code: missing?.code ?? '',
    }
    const lives = held(homeCloud)
    const evidence: Evidence[] = []
    if (authority !== undefined && !/^https:\/\//i.test(authority.value))
      return {
        status: 'fail',
        message: 'authority-not-https',
        data: { ...data, observed: authority.value },
        evidence: [
          { question: authority.from, path: authority.path, observed: authority.value, expected: 'https://…' },
        ],
      }
    const plain = speaking(errors, notHttps)
    if (plain !== undefined && authority === undefined)
      return {
        status: 'fail',
        message: 'authority-not-https',
        data: { ...data, observed: '' },
        evidence: [ofError(plain)],
      }
    if (settings?.environment !== undefined) {
      evidence.push({
        question: webhookSettings.from,
        path: 'data.AZURE_ENVIRONMENT',
        observed: settings.environment,
        ...(lives === undefined ? {} : { expected: lives }),
      })
      if (
        lives !== undefined &&
        settings.environment.toLowerCase() !== lives.toLowerCase() &&
        (authority === undefined || cloudOfAuthority(authority.value) !== lives)
      )
        return {
          status: 'fail',
          message: 'environment-differs',
          data: { ...data, configMap: settings.configMap, observed: settings.environment, expected: lives },
          evidence,
        }
    }
    const cross = all.find(({ code }) => code === '900382' || code === '90038')
    const crossTold = speaking(errors, crossCloud)
    const told = cross === undefined ? (crossTold === undefined ? [] : [ofError(crossTold)]) : [ofRefusal(cross)]
    if (told.length > 0)
      return {
        status: 'fail',
        message: 'cross-cloud',
        data: { ...data, code: cross?.code ?? '900382' },
        evidence: told,
      }
    const own = authority === undefined ? undefined : cloudOfAuthority(authority.value)
    if (authority !== undefined && own !== undefined && lives !== undefined && own !== lives)
      return {
        status: 'fail',
        message: 'cross-cloud',
        data: { ...data, code: '900382' },
        evidence: [
          { question: authority.from, path: authority.path, observed: authority.value, expected: authorityUrl(lives) },
        ],
      }
    if (missing !== undefined)
      return { status: 'fail', message: 'tenant-not-found', data, evidence: [ofRefusal(missing)] }
    const answered = held(tenantAnswer)
    if (answered !== undefined && (answered === 400 || answered === 404))
      return {
        status: 'fail',
        message: 'tenant-not-found',
        data: { ...data, code: '90002' },
        evidence: [{ question: tenantAnswer.from, path: 'status', observed: answered, expected: 200 }],
      }
    if (authority !== undefined)
      evidence.push({ question: authority.from, path: authority.path, observed: authority.value })
    if (answered === 200)
      return { status: 'pass', evidence: [...evidence, { question: tenantAnswer.from, path: 'status', observed: 200 }] }
    // What the webhook would set says nothing about pods that nobody has seen.
    if (authority === undefined)
      return {
        status: 'undecided',
        lacks: 'which authority the workload asks was not seen',
        lift: 'kubectl get pods -A -o yaml',
      }
    return lives === undefined
      ? {
          status: 'undecided',
          lacks: 'in which cloud the identity lives was not seen',
          lift: 'az identity list > identities.json',
          evidence,
        }
      : { status: 'pass', evidence }
  },
})
