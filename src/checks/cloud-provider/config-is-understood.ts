/** Whether the cloud config, and the plan that names it, say what their provider reads. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { faultsOf } from '../../domain/cloud-config-faults.ts'
import { needsFile, providerNames, providerOf, sectionsRead } from '../../knowledge/cloud-providers.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { configConcerns } from '../../probes/cloud-provider/concerns.ts'
import { configs } from '../../probes/cloud-provider/configs.ts'
import { ofConfig } from '../../probes/cloud-provider/errors.ts'
import { declared, plan, providerNamed } from '../../probes/cloud-provider/plan.ts'

type Key = { readonly section: string; readonly key: string }

const componentNames: { readonly [name: string]: string } = {
  kube_apiserver: 'kube-apiserver',
  kube_controller_manager: 'kube-controller-manager',
}

export const check = defineCheck({
  meta: {
    id: 'cloud-provider/config-is-understood',
    title: 'The cloud config holds what its provider reads, and nothing else',
    severity: 'error',
    scope: 'cluster',
    cloud: 'any',
    section: 'Cloud provider',
    why: 'A key that the provider does not read is passed over in silence, and it signs in to its cloud without what that key was to say.',
    fix: {
      safety: 'review',
      does: 'Rename the key where one name is certain (api-key of OpenStack to password); leave all other keys as they are and print no secret.',
    },
    links: [
      'https://github.com/jlmeeker/kismatic/blob/57f9005a1f1a/docs/design-decisions/cloud-provider.md',
      'https://github.com/kubernetes/cloud-provider-openstack',
    ],
  },
  only: { probe: configConcerns, otherwise: 'there is no cloud config and no plan of one' },
  needs: {},
  wants: { plan, declared, configs, ofConfig },
  after: [],
  messages: {
    'not-a-provider': ({ value, options }: { value: string; options: string }) =>
      `${value} is not a valid cloud provider; options are ${options}`,
    'override-refused': ({ component, option }: { component: string; option: string }) =>
      `option_overrides of ${component} sets ${option}, which the plan sets through cloud_provider and refuses here`,
    'file-missing': ({ path }: { path: string }) => `the plan names cloud config ${path}, which is not there`,
    'file-required': ({ provider }: { provider: string }) =>
      `provider ${provider} needs a cloud config and the plan names none`,
    'not-parsable': ({ line, path }: { line: number; path: string }) =>
      `line ${line} of ${path} is neither a section, a key nor a comment`,
    'key-of-another-provider': ({
      section,
      key,
      other,
      provider,
      expected,
    }: Key & { other: string; provider: string; expected: string }) =>
      `[${section}] ${key} is read by ${other}, not by ${provider}, which reads ${expected}`,
    'unknown-section': ({ provider, section, sections }: { provider: string; section: string; sections: string }) =>
      `${provider} reads no section [${section}]; it reads ${sections}`,
    'unknown-key': ({ section, key, provider }: Key & { provider: string }) =>
      `[${section}] ${key} is not read by ${provider}`,
    'credential-missing': ({
      path,
      provider,
      present,
      missing,
    }: {
      path: string
      provider: string
      present: string
      missing: string
    }) => `${path} gives ${provider} ${present} but no ${missing}`,
    'placeholder-left': ({ section, key }: Key) => `[${section}] ${key} still holds the documentation's placeholder`,
  },
  remedies: {
    'not-a-provider': ({ options }) =>
      advice(`Write one of ${options} as cluster.cloud_provider.provider of the plan, or leave it empty.`),
    'override-refused': ({ component, option }) =>
      advice(`Take ${option} out of option_overrides of ${component}; cluster.cloud_provider sets it.`),
    'file-missing': ({ path }) =>
      advice(
        `Put the file at ${path} on the machine that runs the installer, or correct cluster.cloud_provider.config in the plan.`,
      ),
    'file-required': ({ provider }) =>
      advice(
        `Write the configuration file of ${provider} and name its absolute path as cluster.cloud_provider.config in the plan.`,
      ),
    'not-parsable': ({ line, path }) =>
      advice(`Correct line ${line} of ${path}: a section is written [Name], a key is written KEY=VALUE.`),
    'key-of-another-provider': ({ section, key, expected }) =>
      advice(`Rename ${key} in [${section}] to ${expected}, and leave its value and all other keys as they are.`),
    'unknown-section': ({ section, sections }) =>
      advice(
        `Move the keys of [${section}] to the section that the provider reads (${sections}), or take the section out.`,
      ),
    'unknown-key': ({ section, key }) =>
      advice(`Correct the name of ${key} in [${section}], or take the key out: it has no effect.`),
    'credential-missing': ({ path, missing }) =>
      advice(`Add ${missing} to ${path}, or have the provider read a Secret where it can.`),
    'placeholder-left': ({ section, key }) => advice(`Write the value of your own cloud for ${key} in [${section}].`),
  },
  judge: ({ want }) => {
    const said = want.ofConfig.state === 'known' ? want.ofConfig.value : []
    const heard = said.map(ofError)
    const told = (pattern: RegExp): string | undefined =>
      said.map(({ text }) => pattern.exec(text)?.[1]).find((found) => found !== undefined)
    const own = want.plan.state === 'known' ? want.plan.value : undefined
    const options = providerNames.join(', ')
    const named = own?.provider ?? ''
    const inPlan = (path: string, observed: string) =>
      own === undefined ? [] : [{ question: want.plan.from, path: `${own.file}: ${path}`, observed }]
    const wrong = named !== '' && named !== 'external' && providerOf(named) === undefined
    const invalid = wrong ? named : told(/"?([\w-]{1,60})"? is not a valid cloud provider/)
    if (invalid !== undefined)
      return {
        status: 'fail',
        message: 'not-a-provider',
        data: { value: invalid, options },
        evidence: [...inPlan('cluster.cloud_provider.provider', named), ...heard],
      }
    const overridden = Object.entries(own?.overrides ?? {}).flatMap(([component, names]) =>
      names
        .filter((name) => name === 'cloud-provider' || name === 'cloud-config')
        .map((option) => ({ component, option })),
    )[0]
    const refused = told(/Option\(s\) \[([^\]\n]{1,200})\] cannot be overridden/)
    if (overridden !== undefined || refused !== undefined) {
      const { component, option } = overridden ?? { component: 'kube_apiserver', option: refused ?? '' }
      const evidence = [...inPlan(`cluster.${component}.option_overrides`, option), ...heard]
      const data = { component: componentNames[component] ?? component, option }
      return { status: 'fail', message: 'override-refused', data, evidence }
    }
    const missing = told(/cloud config file was not found at "([^"\n]{1,300})"/)
    if (missing !== undefined)
      return { status: 'fail', message: 'file-missing', data: { path: missing }, evidence: heard }
    const files = want.configs.state === 'known' ? want.configs.value : []
    const needsOne = own !== undefined && own.config === '' && needsFile.has(named) && files.length === 0
    if (needsOne || said.some(({ text }) => /no cloud provider config given/.test(text)))
      return {
        status: 'fail',
        message: 'file-required',
        data: { provider: named === '' ? (providerNamed(want.declared, '') ?? 'cloudstack') : named },
        evidence: [...inPlan('cluster.cloud_provider.config', ''), ...heard],
      }
    const judged = files.map((file) => {
      const provider = providerNamed(want.declared, file.path.split('/').at(-1) ?? '')
      return { file, provider, fault: faultsOf(file, provider, sectionsRead)[0] }
    })
    const failed = judged.find(({ fault }) => fault !== undefined)
    const fault = failed?.fault
    if (failed !== undefined && fault !== undefined) {
      const { path, from } = failed.file
      const provider = failed.provider ?? 'any provider'
      const where = 'line' in fault && fault.line > 0 ? `${path}:${fault.line}` : path
      const evidence = [{ question: from, path: where, observed: fault.observed }]
      switch (fault.kind) {
        case 'not-parsable':
          return { status: 'fail', message: fault.kind, data: { line: fault.line, path }, evidence }
        case 'key-of-another-provider': {
          const { section, key, other, expected } = fault
          return { status: 'fail', message: fault.kind, data: { section, key, other, provider, expected }, evidence }
        }
        case 'unknown-section':
          return {
            status: 'fail',
            message: fault.kind,
            data: { provider, section: fault.section, sections: fault.sections },
            evidence,
          }
        case 'unknown-key':
          return {
            status: 'fail',
            message: fault.kind,
            data: { section: fault.section, key: fault.key, provider },
            evidence,
          }
        case 'credential-missing':
          return {
            status: 'fail',
            message: fault.kind,
            data: { path, provider, present: fault.present, missing: fault.missing },
            evidence,
          }
        case 'placeholder-left':
          return { status: 'fail', message: fault.kind, data: { section: fault.section, key: fault.key }, evidence }
      }
    }
    const stranger = judged.find(({ provider }) => provider === undefined)
    if (stranger !== undefined)
      return {
        status: 'undecided',
        lacks: `which provider reads ${stranger.file.path} was not seen`,
        lift: 'the plan of the installer, or kubectl get pods -n kube-system -o yaml > pods.yaml',
      }
    const evidence = files.map(({ path, from, sections }) => ({
      question: from,
      path,
      observed: sections.map(({ name }) => name),
    }))
    if (files.length > 0) return { status: 'pass', evidence }
    if (named === '' || named === 'external' || named === 'aws' || named === 'gce' || named === 'fake') {
      return own === undefined || (named === '' && own.config === '')
        ? { status: 'not-applicable', reason: 'the plan names no cloud provider' }
        : own.config === ''
          ? { status: 'pass', evidence: inPlan('cluster.cloud_provider.provider', named) }
          : { status: 'undecided', lacks: `cloud config ${own.config} was not handed over`, lift: own.config }
    }
    return {
      status: 'undecided',
      lacks: `cloud config ${own?.config ?? ''} was not handed over`,
      ...(own?.config === undefined ? {} : { lift: own.config }),
    }
  },
})
