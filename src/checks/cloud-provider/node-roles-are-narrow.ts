/** Whether the role of control-plane or worker nodes allows more than a node's work needs. */
import { defineCheck } from '../../core/check.ts'
import { advice } from '../../domain/advice.ts'
import { nodePolicy } from '../../probes/cloud-provider/node-policy.ts'

const prerequisites = 'https://github.com/kubernetes/cloud-provider-aws/blob/master/docs/prerequisites.md'

export const check = defineCheck({
  meta: {
    id: 'cloud-provider/node-roles-are-narrow',
    title: "Control-plane and worker roles hold only what their node's work needs",
    severity: 'warning',
    scope: 'object',
    kinds: ['IAMRole'],
    cloud: 'aws',
    section: 'Cloud provider',
    why: 'Whoever reaches the instance metadata of a node holds its role, with all that it may do.',
    fix: {
      safety: 'manual',
      does: "Write the action list of the provider's own documentation in the place of the wildcard; look first which of today's actions it drops.",
    },
    links: [
      prerequisites,
      'https://github.com/jlmeeker/kismatic/blob/57f9005a1f1a/docs/design-decisions/cloud-provider.md',
    ],
  },
  only: { probe: nodePolicy, otherwise: 'it is no role of nodes' },
  needs: { nodePolicy },
  wants: {},
  after: [],
  messages: {
    'all-of-a-service': ({ role, action }: { role: string; action: string }) =>
      `role ${role} allows ${action} on every resource`,
    'worker-may-move-volumes': ({ role, actions }: { role: string; actions: string }) =>
      `worker role ${role} allows ${actions} on every resource; any pod that reaches instance metadata can detach any volume`,
  },
  remedies: {
    'all-of-a-service': ({ action }) =>
      advice(`Write the actions that the provider lists (${prerequisites}) in the place of ${action}.`),
    'worker-may-move-volumes': ({ actions }) =>
      advice(
        `Take ${actions} out of the worker role once the EBS CSI driver has a role of its own, which does that work.`,
      ),
  },
  judge: ({ have, subject }) => {
    if (have.nodePolicy.state === 'absent') return { status: 'not-applicable', reason: 'it is no role of nodes' }
    const { value, from } = have.nodePolicy
    const broad = value.allowed.filter(({ everywhere }) => everywhere)
    const wild = broad.flatMap(({ actions, path }) =>
      actions.filter((action) => /^(?:\*|[a-z0-9-]+:\*)$/i.test(action)).map((action) => ({ action, path })),
    )
    const evidence = (all: readonly { action: string; path: string }[]) =>
      all.map(({ action, path }) => ({ question: from, path: `${path}.Action`, observed: action }))
    const [first] = wild
    if (first !== undefined)
      return {
        status: 'fail',
        message: 'all-of-a-service',
        data: { role: subject.name, action: first.action },
        evidence: evidence(wild),
      }
    const moving = broad.flatMap(({ actions, path }) =>
      actions
        .filter((action) => /^ec2:(?:AttachVolume|DetachVolume)$/i.test(action))
        .map((action) => ({ action, path })),
    )
    if (value.worker && moving.length > 0)
      return {
        status: 'fail',
        message: 'worker-may-move-volumes',
        data: { role: subject.name, actions: moving.map(({ action }) => action).join(' and ') },
        evidence: evidence(moving),
      }
    return {
      status: 'pass',
      evidence: value.allowed.map(({ actions, path }) => ({
        question: from,
        path: `${path}.Action`,
        observed: actions,
      })),
    }
  },
})
