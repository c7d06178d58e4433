/** Whether the mounter that the pod runs is still looked after. */
import { defineCheck } from '../../core/check.ts'
import { advice, editTemplate, type Place } from '../../domain/advice.ts'
import { scene } from '../../probes/storage/scene.ts'
import { storagePod } from '../../probes/storage/storage-pod.ts'
import { ofUse } from '../../probes/storage/words.ts'
import { workloadOf } from '../../probes/workload/namesakes.ts'

type Data = Place & { readonly tool: string; readonly version: string; readonly year: number; readonly instead: string }

/** What takes its place, for the same stores. */
const successors: { readonly [tool: string]: string } = {
  goofys: 'Mountpoint for Amazon S3 or its CSI driver, or rclone; for Azure blobfuse2 or the blob CSI driver',
  blobfuse: 'blobfuse2, or the Azure blob CSI driver',
}

const replace = (data: Data): string => {
  const { where, commands } = editTemplate(data)
  return advice(`Put ${data.instead} in the place of ${data.tool} in ${where}.`, ...commands)
}

export const check = defineCheck({
  meta: {
    id: 'storage/mounter-is-maintained',
    title: 'The mounter is maintained',
    severity: 'warning',
    scope: 'pod',
    cloud: 'any',
    section: 'Storage',
    why: 'A mounter that nobody maintains learns no new way to get credentials, and its faults stay.',
    fix: {
      safety: 'manual',
      does: 'Choose the successor for this store and identity; changing a mounter is a decision of its owner.',
    },
    links: ['https://github.com/kahing/goofys/issues/703', 'https://github.com/Azure/azure-storage-fuse'],
  },
  only: { probe: storagePod, otherwise: 'the pod runs no mounter' },
  needs: { scene },
  wants: {},
  after: [],
  messages: {
    abandoned: ({ tool, version, year, instead }: Data) =>
      `${tool} had its last release, ${version}, in ${year}; use ${instead}`,
    'end-of-life': ({ tool, instead }: Data) => `${tool} is out of support; use ${instead}`,
  },
  remedies: { abandoned: replace, 'end-of-life': replace },
  judge: ({ have: { scene } }) => {
    const uses = scene.state === 'known' ? scene.value.uses : []
    if (scene.state === 'absent' || scene.value.pod === undefined || uses.length === 0)
      return { status: 'not-applicable', reason: 'the pod runs no mounter' }
    const { pod } = scene.value
    const evidence = uses.map((use) => ofUse(use, scene.from))
    for (const status of ['abandoned', 'end-of-life'] as const) {
      const tool = uses.find((use) => use.tool.status === status)?.tool
      if (tool === undefined) continue
      const { version = 'of years ago', year = 2020 } = tool['last-release'] ?? {}
      const data: Data = {
        ...{ workload: workloadOf(pod), namespace: pod.namespace, tool: tool.name, version, year },
        instead: successors[tool.tool] ?? 'a maintained one',
      }
      return { status: 'fail', message: status, data, evidence }
    }
    return { status: 'pass', evidence }
  },
})
