/** Whether a cloud config keeps passwords or keys where many can read them. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { sh } from '../../domain/shell-words.ts'
import { alternatives } from '../../knowledge/cloud-providers.ts'
import { ownConfig } from '../../probes/cloud-provider/configs.ts'
import { declared, plan, providerNamed } from '../../probes/cloud-provider/plan.ts'

type InMap = { readonly namespace: string; readonly name: string; readonly key: string }
type InFile = { readonly path: string; readonly key: string; readonly where: string; readonly alternative: string }

const change = 'Change the exposed secret at the cloud: whoever could read it may have kept it.'

export const check = defineCheck({
  meta: {
    id: 'cloud-provider/config-holds-no-plain-secret',
    title: 'The cloud config keeps its secrets elsewhere',
    severity: 'warning',
    scope: 'object',
    kinds: ['CloudConfig', 'ConfigMap'],
    cloud: 'any',
    section: 'Cloud provider',
    why: 'The credentials in a cloud config can do to the cloud whatever the cluster can; a file on every machine or a ConfigMap keeps no secret.',
    fix: {
      safety: 'manual',
      does: 'Use what the provider offers instead: a managed identity (azure), secret-name (vsphere, openstack), an instance role (aws); change the exposed secret.',
    },
    links: [
      'https://github.com/kubernetes/cloud-provider-openstack',
      'https://github.com/jlmeeker/kismatic/blob/57f9005a1f1a/docs/design-decisions/cloud-provider.md',
    ],
  },
  only: { probe: ownConfig, otherwise: 'it holds no cloud config' },
  needs: { ownConfig },
  wants: { declared, plan },
  after: [],
  messages: {
    'secret-in-config-map': ({ namespace, name, key }: InMap) =>
      `ConfigMap ${namespace}/${name} holds ${key} in plain text; whoever may read ConfigMaps in ${namespace} has it`,
    'secret-in-file': ({ path, key, where, alternative }: InFile) =>
      `${path} holds ${key} in plain text and is copied to ${where}; ${alternative}`,
  },
  remedies: {
    'secret-in-config-map': ({ namespace, name }) =>
      advice(
        `Keep the file in a Secret that only the cloud controller manager mounts. ${change}`,
        sh`kubectl describe configmap/${name} -n ${namespace}`,
      ),
    'secret-in-file': ({ key, path, alternative }) => advice(`Take ${key} out of ${path}: ${alternative}. ${change}`),
  },
  judge: ({ have, want, subject }) => {
    if (have.ownConfig.state === 'absent') return { status: 'not-applicable', reason: 'it holds no cloud config' }
    const { value: files, from } = have.ownConfig
    const secrets = files.flatMap((file) =>
      file.sections.flatMap(({ name, keys }) =>
        keys.filter(({ secret = 0 }) => secret > 0).map((key) => ({ file, section: name, ...key })),
      ),
    )
    const [first] = secrets
    const evidence = secrets.map(({ file, section, key, line, secret }) => ({
      question: from,
      path: `${file.path}${line > 0 ? `:${line}` : ''} [${section}] ${key}`,
      observed: `${secret ?? 0} characters`,
    }))
    if (first === undefined)
      return {
        status: 'pass',
        evidence: files.map(({ path, sections }) => ({
          question: from,
          path,
          observed: sections.map(({ name }) => name),
        })),
      }
    if (subject.kind === 'ConfigMap')
      return {
        status: 'fail',
        message: 'secret-in-config-map',
        data: { namespace: subject.namespace ?? 'default', name: subject.name, key: first.key },
        evidence,
      }
    const provider = providerNamed(want.declared, first.file.path)
    const alternative =
      (provider === undefined ? undefined : alternatives[provider]) ??
      'a Secret that is mounted as the file keeps it better'
    const where = want.plan.state === 'known' ? 'every machine of the plan' : 'wherever the file goes'
    return {
      status: 'fail',
      message: 'secret-in-file',
      data: { path: first.file.path, key: first.key, where, alternative },
      evidence,
    }
  },
})
