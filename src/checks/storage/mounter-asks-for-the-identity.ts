/** Whether the mounter that the pod runs is told to use the pod's identity. */
import { defineCheck, type Verdict } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import { efsOptionsIn, tellsOfEfs } from '../../domain/efs-mounts.ts'
import { findOption, insteadOf, missingOf, modeName, type Row, rowOf, rowsOf, trapIn } from '../../domain/mounters.ts'
import { sh } from '../../domain/shell-words.ts'
import { efsDriver } from '../../domain/storage-volumes.ts'
import { readVersion } from '../../domain/versions.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { scene, type Use } from '../../probes/storage/scene.ts'
import { mounts } from '../../probes/storage/storage-pod.ts'
import { calledWith, ofUse, partOf, provedBy, saidFor } from '../../probes/storage/words.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const id = 'storage/mounter-asks-for-the-identity'

type Data = Place & {
  readonly tool: string
  readonly option: string
  readonly path: string
  readonly type: string
  readonly identity: string
  readonly needed: string
  readonly where: string
  readonly missing: string
  readonly variables: string
  readonly mode: string
  readonly actual: string
  readonly instead: string
}

const messages = {
  'key-file-not-a-key': ({ tool, option, path, type }: Data) =>
    `${tool} ${option} ${path} is of type ${type}, and only service_account is accepted there; leave the option out`,
  'managed-identity-instead': ({ tool, option, identity, needed }: Data) =>
    `${tool} ${option} asks the node for managed identity ${identity}; the pod's own token needs ${needed}`,
  'mode-misread': ({ where }: Data) =>
    `${where} sets blobfuse2 mode workloadidentity (2.4.2 and later), which turns a managed identity into an assertion; the pod's token needs mode spn with oauth-token-path (2.0.5 and later)`,
  'token-by-value': ({ option }: Data) =>
    `blobfuse2 gets the token as a value (${option}), which ends with its first lifetime; give oauth-token-path`,
  'token-path-missing': ({ missing }: Data) =>
    `blobfuse2 mode spn lacks ${missing}; it does not read AZURE_CLIENT_ID or AZURE_FEDERATED_TOKEN_FILE`,
  'helper-drops-environment': ({ type, tool, variables }: Data) =>
    `mount -t ${type} starts ${tool} without ${variables}; call ${tool} itself or pass a configuration file`,
  anonymous: ({ tool, option }: Data) => `${tool} runs without credentials, because ${option} is not set`,
  'option-missing': ({ tool, mode, option, actual }: Data) =>
    `${tool} uses ${mode} only with ${option}; it is called with ${actual}`,
}
type Message = keyof typeof messages
const order = Object.keys(messages).filter((name): name is Message => name in messages)

const inTemplate = (data: Data, sentence: string): string => {
  const { where, commands } = editTemplate(data)
  return advice(`${sentence} in ${where}.`, ...commands)
}
/** What blobfuse2 reads instead of the variables that the webhook sets. */
const spn =
  'mode: spn with clientid, tenantid and oauth-token-path (or AZURE_STORAGE_SPN_CLIENT_ID, AZURE_STORAGE_SPN_TENANT_ID and AZURE_OAUTH_TOKEN_FILE)'

/** Their volumes have checks of their own, and so has the pod that asks for a sidecar. */
const judgedElsewhere: ReadonlySet<string> = new Set(['blob-csi', 'mountpoint-s3-csi', 'azurefile-csi', 'gcsfuse-csi'])

export const check = defineCheck({
  meta: {
    id,
    title: 'The mounter is told to use the identity',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Storage',
    why: 'A mounter that can use the identity still asks the node, a key or nobody until an option tells it otherwise.',
    fix: {
      safety: 'review',
      does: 'Add or correct the one option in the pod template, the mount options or the configuration file; never write a secret or the value of a token there.',
    },
    links: [
      'https://github.com/GoogleCloudPlatform/gcsfuse/issues/852',
      'https://github.com/GoogleCloudPlatform/gcsfuse/issues/666',
      'https://github.com/Azure/azure-storage-fuse/blob/74098e3/component/azstorage/config.go',
      'https://github.com/Azure/azure-storage-fuse/pull/1556',
      'https://github.com/kubernetes-sigs/aws-efs-csi-driver/issues/280',
    ],
  },
  only: { probe: mounts, otherwise: 'the pod runs no mounter' },
  needs: { scene },
  wants: {},
  after: ['storage/mounter-supports-the-identity'],
  messages,
  remedies: {
    'key-file-not-a-key': (data) =>
      inTemplate(
        data,
        `Take ${data.option} out, and name the same file in GOOGLE_APPLICATION_CREDENTIALS if there is no metadata server,`,
      ),
    'managed-identity-instead': (data) =>
      inTemplate(data, `Set ${data.needed} in the place of ${data.option}, or use ${data.instead},`),
    'mode-misread': (data) => inTemplate(data, `Set ${spn}`),
    'token-by-value': (data) =>
      inTemplate(data, `Take ${data.option} out, and set oauth-token-path or AZURE_OAUTH_TOKEN_FILE`),
    'token-path-missing': (data) =>
      inTemplate(
        data,
        `Set ${data.missing} (the values are those of AZURE_CLIENT_ID, AZURE_TENANT_ID and AZURE_FEDERATED_TOKEN_FILE)`,
      ),
    'helper-drops-environment': (data) => inTemplate(data, `Call ${data.tool} itself instead of mount -t ${data.type}`),
    anonymous: (data) =>
      inTemplate(
        data,
        `Set ${data.option} (the variable RCLONE_CONFIG_REMOTE_ENV_AUTH=true, or the option of the backend)`,
      ),
    'option-missing': (data) => inTemplate(data, `Give ${data.tool} ${data.option}`),
  },
  judge: ({ have: { scene }, subject }): Verdict<typeof messages> => {
    if (scene.state === 'absent') return { status: 'not-applicable', reason: 'the pod runs no mounter' }
    const { pod, uses, modes, volumes, errors } = scene.value
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const said = saidFor(errors, id)
    const texts = said.map(({ error }) => ofError(error))
    const evidence = [...texts, ...uses.map((use) => ofUse(use, scene.from))]
    const data = (more: Partial<Data>): Data => ({
      ...{
        ...place,
        tool: 'the mounter',
        option: '',
        path: 'that it is given',
        type: 'another type',
        identity: 'of the node',
      },
      ...{
        needed: spn,
        where: 'its configuration',
        missing: '',
        variables: 'the variables of its caller',
        mode: '',
        actual: '',
      },
      ...{ instead: 'Azure Blob CSI driver', ...more },
    })
    const found: { [message in Message]?: Data } = {}
    let open: string | undefined
    let judged = 0
    for (const use of uses)
      for (const mode of modes) {
        if (judgedElsewhere.has(use.tool.tool)) continue
        const version = use.version === undefined ? undefined : readVersion(use.version)
        const row = rowOf(use.tool, mode, undefined, version)
        if (row === undefined) continue
        const rows = row === 'open' ? rowsOf(use.tool, mode, undefined) : [row]
        const one =
          rows.find(({ verdict }) => verdict === 'needs-option') ?? rows.find(({ verdict }) => verdict === 'works')
        if (one === undefined) continue
        judged += 1
        const { message, data: filled, open: unclear } = judgeUse(use, mode, one, rows)
        if (message === 'option-missing' && row === 'open')
          open ??= `which version of ${use.tool.name} runs: they differ in what they have to be told`
        else if (message !== undefined) found[message] ??= data(filled)
        else open ??= unclear
      }
    const proved = (message: Message) => provedBy(said, message)?.text
    const typed = proved('key-file-not-a-key')
    if (typed !== undefined)
      found['key-file-not-a-key'] ??= data({
        ...{ tool: 'gcsfuse', option: '--key-file' },
        type: partOf(typed, /'type' field is \\*"([\w-]{1,60})\\*"/, 'another type'),
      })
    if (proved('mode-misread') !== undefined) found['mode-misread'] ??= data({})
    if (proved('token-path-missing') !== undefined)
      found['token-path-missing'] ??= data({ missing: 'one of clientid, tenantid and oauth-token-path' })
    if (proved('anonymous') !== undefined) found.anonymous ??= data({ tool: 'rclone', option: 'env_auth=true' })
    const denied = proved('option-missing')
    const shown = [
      ...said.map(({ error }) => efsOptionsIn(error.text)),
      ...volumes.filter(({ driver }) => driver === efsDriver).map(({ mountOptions }) => mountOptions),
    ].filter((options) => options.length > 0)
    const asked = shown.some((options) => options.includes('iam') && options.includes('tls'))
    if (denied !== undefined && !asked)
      found['option-missing'] ??= data({
        ...{ tool: 'Amazon EFS CSI driver', mode: 'IAM', option: 'the mount options iam and tls' },
        actual: shown[0]?.join(', ') ?? 'neither of them',
      })
    for (const message of order) {
      const filled = found[message]
      if (filled !== undefined) return { status: 'fail', message, data: filled, evidence }
    }
    if (said.some(({ error }) => !tellsOfEfs(error.text)))
      return {
        status: 'undecided',
        lacks:
          denied === undefined
            ? 'how the mounter that wrote this is called'
            : 'what the file system policy, and the policies of the identity, allow: the mount does use IAM',
        lift: sh`kubectl get pods -n ${place.namespace} -o yaml`,
        evidence,
      }
    if (open !== undefined)
      return {
        status: 'undecided',
        lacks: open,
        lift: sh`kubectl get pods,configmaps -n ${place.namespace} -o yaml`,
        evidence,
      }
    return judged === 0
      ? { status: 'not-applicable', reason: 'the pod runs no mounter that needs to be told' }
      : { status: 'pass', evidence }
  },
})

/** The word on one use in one mode: what is wrong, what is not seen, or nothing. */
function judgeUse(
  use: Use,
  mode: string,
  row: Row,
  rows: readonly Row[],
): { readonly message?: Message; readonly data: Partial<Data>; readonly open?: string } {
  const { tool, options } = use
  const version = use.version === undefined ? undefined : readVersion(use.version)
  const base = { tool: tool.name, mode: modeName(mode), instead: insteadOf(row, []), actual: calledWith(use) }
  const settingOf = (name: string): string | undefined => {
    const option = findOption(options, name)
    return option === undefined || option === 'hidden' ? undefined : (option.value ?? undefined)
  }
  const caught = trapIn(rows, options, version)
  if (caught !== undefined) {
    const { trap, option } = caught
    const named = option.value === undefined || option.value === null ? option.name : `${option.name}=${option.value}`
    if (trap.finding === 'managed-identity-instead')
      return {
        message: 'managed-identity-instead',
        data: {
          ...{
            ...base,
            option: named,
            tool: tool.name,
            needed: tool.tool === 'blobfuse2' ? `${spn}, from version 2.0.5 on` : 'env_auth=true',
          },
          identity:
            settingOf('appid') ??
            settingOf('AZURE_STORAGE_IDENTITY_CLIENT_ID') ??
            settingOf('resid') ??
            settingOf('objid') ??
            'of its scale set',
          instead: 'the Azure Blob CSI driver (1.27.0 and later) with clientID and mountWithWorkloadIdentityToken',
        },
      }
    if (trap.finding === 'mode-misread') return { message: 'mode-misread', data: { ...base, where: option.where } }
    if (trap.finding === 'token-by-value') return { message: 'token-by-value', data: { ...base, option: option.name } }
    if (trap.finding === 'helper-drops-environment' && mode === 'gcp-external-account')
      return {
        message: 'helper-drops-environment',
        data: { ...base, tool: 'gcsfuse', type: 'gcsfuse', variables: 'GOOGLE_APPLICATION_CREDENTIALS' },
      }
    if (trap.finding === 'key-file-not-a-key') {
      const path = settingOf('--key-file')
      if (mode === 'gcp-external-account' && path !== undefined && path === settingOf('GOOGLE_APPLICATION_CREDENTIALS'))
        return {
          message: 'key-file-not-a-key',
          data: { ...base, tool: 'gcsfuse', option: '--key-file', path, type: 'external_account' },
        }
      return { data: base, open: `of which type the file is that ${tool.name} is given with --key-file` }
    }
    if (trap.finding === 'option-missing')
      return { message: 'option-missing', data: { ...base, option: `no ${option.name}, for ${trap.does}` } }
  }
  const { missing: lacking, hidden } = missingOf(row, options)
  const missing = lacking.map((one) => one.replace(/=$/, ''))
  if (missing.length === 0 && !hidden) return { data: base }
  if (hidden) return { data: base, open: `the value of an option of ${tool.name} that comes from elsewhere` }
  if (use.unseen)
    return {
      data: base,
      open: `what ${tool.name} is told by a file, a script or variables elsewhere, which may hold ${missing.join(', ')}`,
    }
  if (tool.tool.startsWith('rclone') && missing.includes('env_auth=true'))
    return { message: 'anonymous', data: { ...base, option: 'env_auth=true' } }
  if (tool.tool === 'blobfuse2' && !missing.includes('mode: spn'))
    return { message: 'token-path-missing', data: { ...base, missing: missing.join(', ') } }
  const library = tool.tool === 's3fs' ? ' (from version 1.92 on, with libs3fsawscred.so in the image)' : ''
  return { message: 'option-missing', data: { ...base, option: `${missing.join(', ')}${library}` } }
}
