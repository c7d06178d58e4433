/** Whether the mounter that the pod runs, in its version, can use the identity that the pod has. */
import { defineCheck, type Verdict } from '../../core/check.ts'
import { advice, editTemplate, type Place, placeOf } from '../../domain/advice.ts'
import {
  faultOf,
  faultsOf,
  insteadOf,
  modeName,
  type Row,
  rowsOf,
  sinceOf,
  type Tool,
  trapIn,
} from '../../domain/mounters.ts'
import { sh } from '../../domain/shell-words.ts'
import { compareVersions, readVersion } from '../../domain/versions.ts'
import { ofError } from '../../probes/aws/evidence.ts'
import { type DriverUses, driverUses } from '../../probes/storage/driver-uses.ts'
import { type Candidate, candidatesOf, choicesOf } from '../../probes/storage/mounter-rows.ts'
import { scene } from '../../probes/storage/scene.ts'
import { mounts } from '../../probes/storage/storage-pod.ts'
import { partOf, provedBy, saidFor } from '../../probes/storage/words.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

const id = 'storage/mounter-supports-the-identity'

type Data = Place & {
  readonly tool: string
  readonly option: string
  readonly mode: string
  readonly instead: string
  readonly since: string
  readonly because: string
  readonly fault: string
  readonly fixed: string
}

const messages = {
  'takes-node-identity': ({ tool, option, mode, instead }: Data) =>
    `${tool} with ${option} asks the node's metadata service, so it acts as the node or not at all, never with ${mode} of the pod; use ${instead}`,
  'too-old': ({ tool, mode, since }: Data) => `${tool} cannot use ${mode}; ${since} and later can`,
  unsupported: ({ tool, mode, because, instead }: Data) => `${tool} cannot use ${mode}: ${because}; use ${instead}`,
  'known-fault': ({ tool, mode, fault, fixed }: Data) => `${tool} loses ${mode}: ${fault}; fixed in ${fixed}`,
}

const replace = (data: Data, sentence: string): string => {
  const { where, commands } = editTemplate(data)
  return advice(`${sentence} in ${where}.`, ...commands)
}

export const check = defineCheck({
  meta: {
    id,
    title: 'The mounter can use the identity that the pod has',
    severity: 'error',
    scope: 'pod',
    cloud: 'any',
    section: 'Storage',
    why: 'Many mounters know fewer ways to get credentials than the SDKs do: they then act as the node, ask for keys, or fail.',
    fix: {
      safety: 'manual',
      does: 'Choose the tool or version that works for this store and mechanism, with the option that it needs; changing a mounter is a decision of its owner.',
    },
    links: [
      'https://github.com/s3fs-fuse/s3fs-fuse/issues/1778',
      'https://github.com/s3fs-fuse/s3fs-fuse/issues/2192',
      'https://github.com/awslabs/mountpoint-s3-csi-driver/issues/215',
      'https://github.com/kahing/goofys/issues/703',
      'https://github.com/kubernetes-sigs/blob-csi-driver/issues/945',
    ],
  },
  only: { probe: mounts, otherwise: 'the pod runs no mounter' },
  needs: { scene },
  wants: { driverUses },
  after: [],
  messages,
  remedies: {
    'takes-node-identity': (data) => replace(data, `Take ${data.option} out, and mount with ${data.instead} instead`),
    'too-old': (data) => replace(data, `Use version ${data.since} or later of ${data.tool.replace(/ [\d.]+$/, '')}`),
    unsupported: (data) => replace(data, `Mount with ${data.instead} instead`),
    'known-fault': (data) => replace(data, `Use a version in which it is fixed, ${data.fixed},`),
  },
  judge: ({ have: { scene }, want: { driverUses }, subject }): Verdict<typeof messages> => {
    if (scene.state === 'absent') return { status: 'not-applicable', reason: 'the pod runs no mounter' }
    const { pod, modes, modesSeen, errors } = scene.value
    const place = pod === undefined ? placeOf(subject) : { workload: workloadOf(pod), namespace: pod.namespace }
    const drivers = driverUses.state === 'known' ? driverUses.value : noDrivers
    const tools = drivers.tools
    const candidates = candidatesOf(scene.value, drivers, scene)
    const evidence = candidates.map((one) => one.evidence)
    const data = (
      one: Pick<Candidate, 'tool' | 'version'>,
      mode: string,
      row: Row | undefined,
      more: Partial<Data> = {},
    ): Data => ({
      ...place,
      tool: one.version === undefined ? one.tool.name : `${one.tool.name} ${one.version}`,
      ...{ option: '', mode: modeName(mode), instead: insteadOf(row, tools), since: '', because: row?.because ?? '' },
      ...{ fault: '', fixed: '', ...more },
    })
    let open: string | undefined
    let judged = 0
    const found: { [message in keyof typeof messages]?: Data } = {}
    let byOther: string | undefined
    for (const { one, mode, version, row, own } of choicesOf(candidates, modes)) {
      if (own) byOther ??= `${one.tool.name} gets its credentials by ${modeName(mode)}`
      if (own && (typeof row === 'string' || row.verdict !== 'fails')) continue
      judged += 1
      const rows = typeof row === 'string' ? rowsOf(one.tool, mode, one.level) : [row]
      const caught = trapIn(rows, one.options, version)
      if (caught?.trap.finding === 'takes-node-identity')
        found['takes-node-identity'] ??= data(one, mode, rows[0], {
          option: caught.option.name,
          instead: [insteadOf(rows[0], tools), ...ownWay(one.tool, mode, one.level)].join(', or '),
        })
      else if (caught?.trap.finding === 'unsupported')
        found.unsupported ??= data(one, mode, rows[0], { because: `${caught.option.name} ${caught.trap.does}` })
      else if (row === 'open')
        open ??= `which version of ${one.tool.name} runs: they differ in whether they can use ${modeName(mode)}`
      else if (row === 'unlisted')
        open ??= `whether ${one.tool.name} ${one.version} can use ${modeName(mode)}: of this version nothing is known, of others it is`
      else if (row.verdict === 'fails') {
        const since = sinceOf(one.tool, mode, one.level, row)
        if (since === undefined || version === undefined) found.unsupported ??= data(one, mode, row)
        else found['too-old'] ??= data(one, mode, row, { since })
      } else if (row.verdict === 'unproven')
        open ??= `whether ${one.tool.name} can use ${modeName(mode)}: ${row.because}; ${insteadOf(row, tools)} can`
      const fault = faultOf(faultsOf(one.tool, mode, pod?.hostNetwork === true), version)
      if (fault === 'open') open ??= `which version of ${one.tool.name} runs: some lose ${modeName(mode)}`
      else if (fault !== undefined)
        found['known-fault'] ??= data(one, mode, undefined, { fault: fault.fault, fixed: fault.fixed })
    }
    const said = saidFor(errors, id)
    const texts = said.map(({ error }) => ofError(error))
    const text = said[0]?.error.text ?? ''
    // s3fs itself says where it asks; the pod's identity is none of its ways.
    if (
      /from meta data\.|IMDSv2 token retrieval|RELATIVE_URI is not set/.test(text) &&
      !isNodeWay(modes, modesSeen, pod !== undefined)
    )
      found['takes-node-identity'] ??= {
        ...{ ...place, tool: 's3fs-fuse', option: text.includes('RELATIVE_URI') ? 'ecs' : 'iam_role' },
        mode: modes[0] === undefined ? 'the identity' : modeName(modes[0]),
        instead: 'Mountpoint for Amazon S3 CSI driver, or Mountpoint for Amazon S3, or rclone, S3 backend',
        ...{ since: '', because: '', fault: '', fixed: '' },
      }
    const blob = drivers.uses.find(({ tool }) => tool.tool === 'blob-csi')
    const read = blob?.version === undefined ? undefined : readVersion(blob.version)
    // A driver that knows clientID fetches the key by it, and looks for no Secret.
    if (
      text.includes('could not get secret(') &&
      blob !== undefined &&
      (read === undefined || compareVersions(read, [1, 24]) < 0)
    )
      found['too-old'] ??= {
        ...data({ tool: blob.tool, version: blob.version }, 'azure-workload-identity', undefined),
        ...{ since: '1.24.0', tool: `${blob.tool.name} ${blob.version ?? 'of this version'}` },
      }
    if (text.includes('addon does not support pod identity associations')) {
      const mountpoint = /mountpoint|s3/i.test(text)
      const more = { ...place, option: '', mode: modeName('eks-pod-identity'), fault: '', fixed: '' }
      if (mountpoint)
        found['too-old'] ??= {
          ...{ ...more, tool: 'this version of Mountpoint for Amazon S3 CSI driver', since: '2.0.0' },
          ...{ because: '', instead: '' },
        }
      else
        found.unsupported ??= {
          ...{ ...more, tool: `add-on ${partOf(text, /"([a-z0-9-]{1,80})" addon/, 'that the text names')}`, since: '' },
          because: 'it takes no association in this version',
          instead: 'a later version, or a role annotation on its ServiceAccount',
        }
    }
    if (provedBy(said, 'known-fault') !== undefined)
      found['known-fault'] ??= {
        ...{ ...place, tool: 'Cloud Storage FUSE CSI driver', option: '', mode: modeName('gke-metadata'), instead: '' },
        ...{ since: '', because: '', fault: 'the sidecar gives up when the metadata server is not up yet' },
        fixed: '1.34.8-gke.1218000, 1.35.3-gke.2347000 and 1.36.0-gke.1266000',
      }
    for (const message of ['takes-node-identity', 'too-old', 'unsupported', 'known-fault'] as const) {
      const filled = found[message]
      if (filled !== undefined) return { status: 'fail', message, data: filled, evidence: [...texts, ...evidence] }
    }
    const lift = sh`kubectl get daemonsets -n kube-system -o yaml`
    if (said.length > 0)
      return {
        status: 'undecided',
        lacks: 'which mounter in which version wrote this, and with which identity',
        lift,
        evidence: texts,
      }
    if (open !== undefined)
      return { status: 'undecided', lacks: open, lift: sh`kubectl get pods -n ${place.namespace} -o yaml`, evidence }
    if (candidates.length === 0) return { status: 'not-applicable', reason: 'the pod runs no mounter' }
    if (judged === 0 && modes.length === 0 && !modesSeen)
      return {
        status: 'undecided',
        lacks: 'which identity the pod has',
        lift: sh`kubectl get serviceaccounts -n ${place.namespace} -o yaml`,
        evidence,
      }
    return judged === 0
      ? {
          status: 'not-applicable',
          reason: `the pod has no cloud identity that the mounter could use${byOther === undefined ? '' : `: ${byOther}`}`,
        }
      : { status: 'pass', evidence }
  },
})

const noDrivers: DriverUses = { uses: [], tools: [] }

/** The version of the same tool that can, with what it has to be told: `s3fs-fuse 1.92 and later with credlib=`. */
const ownWay = (tool: Tool, mode: string, level: string | undefined): readonly string[] => {
  const row = rowsOf(tool, mode, level).find(({ needs }) => needs !== undefined)
  const since = /[\d.]+/.exec(row?.versions ?? '')?.[0]
  const told = [...(row?.needs ?? []).flat(), ...(row?.also ?? [])].map((one) => one.replace(/=$/, ''))
  return row === undefined || since === undefined ? [] : [`${tool.name} ${since} and later with ${told.join(' and ')}`]
}

/** Without an identity of its own a pod may well want that of its node. */
const isNodeWay = (modes: readonly string[], seen: boolean, pod: boolean): boolean => pod && seen && modes.length === 0
