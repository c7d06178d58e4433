/** Every case that has a plan, served by the lab: unhealthy, carried out, no longer so, taken back, and as before to the byte. */
import { afterAll, expect, test } from 'vitest'
import { canonical, isObject, type Json, listAt, textAt } from '../../src/core/json.ts'
import { openLive } from '../../src/examine/world.ts'
import { forgetStates, stateFolder } from '../acting.ts'
import { type Case, cases, targetOf } from '../case-files.ts'
import { commandsIn } from '../commands.ts'
import { closeLabs, start } from '../labs.ts'

const outside = { ...process.env }
afterAll(async () => {
  process.env = outside
  forgetStates()
  await closeLabs()
})

type Way =
  | 'whole'
  | 'nothing to do'
  | 'not done'
  | 'changed nothing'
  | 'not undone'
  | 'not as before'
  | 'still unhealthy'
type Apart = { readonly ends: Way; readonly because: string; readonly cases: readonly string[] }

/** The cases that do not go the whole way in the lab, and why. One that does by now comes off. */
const apart: readonly Apart[] = [
  {
    ends: 'nothing to do',
    because:
      'what it is about was collected from elsewhere: a log, a node, another account, a cluster that the lab does not serve',
    cases: [
      'aws/oidc-provider-thumbprint-matches/leaf-stored.case.yaml',
      'aws/oidc-provider-thumbprint-matches/none-matches.case.yaml',
      'aws/pod-identity-agent-reaches-eks-auth/node-role-not-allowed.case.yaml',
      'aws/pod-identity-agent-running/ipv6-disabled.case.yaml',
      'aws/pod-identity-association-exists/other-cluster.case.yaml',
      'aws/role-chain-allowed/source-not-allowed.case.yaml',
      'aws/role-chain-allowed/tag-session-denied-by-association.case.yaml',
      'aws/role-chain-allowed/tag-session-denied.case.yaml',
      'aws/role-chain-allowed/target-does-not-trust-by-association.case.yaml',
      'aws/role-chain-allowed/target-does-not-trust.case.yaml',
      'aws/role-chain-allowed/trusted-arn-differs.case.yaml',
      'aws/role-chain-allowed/trusted-principal-deleted.case.yaml',
      'aws/role-may-use-bucket/bucket-actions-on-object-arn.case.yaml',
      'aws/role-may-use-bucket/object-actions-on-bucket-arn.case.yaml',
      'aws/sts-endpoint-reachable/global-endpoint-unreachable.case.yaml',
      'cluster/discovery-is-public/no-anonymous-binding-keys-here.case.yaml',
      'eks/load-balancer-controller-can-call-aws/vpc-from-metadata.case.yaml',
      'eks/nodes-are-mapped/self-managed-node.case.yaml',
      'workload/network-leads-to-the-token-endpoint/mesh-intercepts.case.yaml',
      'workload/service-account-exists/missing.case.yaml',
      'workload/token-is-fresh/cached-by-app.case.yaml',
    ],
  },
  {
    ends: 'nothing to do',
    because:
      'it shows a part of its world alone, in which nothing says that there is an EKS cluster, or a workload of the role',
    cases: [
      'aws/trust-policy-is-narrow/audience-not-checked.case.yaml',
      'aws/trust-policy-is-narrow/for-all-values.case.yaml',
      'aws/trust-policy-is-narrow/if-exists.case.yaml',
      'eks/aws-auth-entries-can-match/brackets-around-the-account.case.yaml',
      'eks/aws-auth-entries-can-match/mapped-three-times.case.yaml',
      'eks/aws-auth-entries-can-match/mapped-twice.case.yaml',
      'eks/aws-auth-entries-can-match/role-path.case.yaml',
    ],
  },
  {
    ends: 'not done',
    because: 'the workload that is to be restarted was not collected',
    cases: [
      'aws/pod-is-injected/created-before-annotation.case.yaml',
      'aws/pod-is-injected/role-differs.case.yaml',
      'workload/pod-is-newer-than-its-binding/raced-the-account.case.yaml',
    ],
  },
  {
    ends: 'changed nothing',
    because: 'no check asks EKS for its add-ons, and the lab does not run what they install',
    cases: ['aws/pod-identity-agent-running/not-installed.case.yaml'],
  },
  {
    ends: 'not undone',
    because: 'IAM takes no policy like the one that it had, which the case shows as it was about to be written',
    cases: ['aws/trust-policy-well-formed/scheme-in-key.case.yaml'],
  },
  {
    ends: 'still unhealthy',
    because: 'something else is wrong in it too, or was not collected, so that the next pod lacks it',
    cases: [
      'cluster/webhook-answers/network-policy-blocks.case.yaml',
      'cluster/webhook-ca-bundle-verifies/lacks-current-ca-self-signed.case.yaml',
      'cluster/webhook-is-configured/no-pod-create-rule.case.yaml',
      'cluster/webhook-is-dependable/fails-open-for-labelled-pods.case.yaml',
      'cluster/webhook-is-dependable/never-reinvoked.case.yaml',
      'cluster/webhook-is-dependable/single-replica.case.yaml',
      'cluster/webhook-selects-the-pod/object-not-selected-by-one-label.case.yaml',
      'workload/network-leads-to-the-token-endpoint/agent-blocked.case.yaml',
      'workload/network-leads-to-the-token-endpoint/metadata-blocked.case.yaml',
      'workload/network-leads-to-the-token-endpoint/proxy-intercepts.case.yaml',
      'workload/service-account-exists/in-another-namespace.case.yaml',
      'workload/static-credentials-are-absent/credentials-file.case.yaml',
      'workload/static-credentials-are-absent/environment-from-secret.case.yaml',
      'workload/static-credentials-are-absent/key-file-variable.case.yaml',
      'workload/token-file-is-readable/not-mounted.case.yaml',
      'workload/token-file-is-readable/path-differs.case.yaml',
      'workload/token-volume-asks-for-the-audience/name-taken-in-a-template.case.yaml',
    ],
  },
]
const apartOf = (name: string): Apart | undefined => apart.find(({ cases }) => cases.includes(name))

/** What all questions that the plan touches are answered, by a source that remembers nothing. */
async function answers(changes: readonly Json[]): Promise<string> {
  const { source, close } = await openLive({ 'insecure-skip-tls-verify': false }, { version: '0' })
  try {
    const questions = changes.flatMap((action) =>
      listAt(action, 'effects').flatMap((effect) => {
        const question = isObject(effect) ? effect.question : undefined
        const [system, call] = [textAt(question, 'system'), textAt(question, 'call')]
        if (!isObject(question) || system === undefined || call === undefined || !isObject(question.input)) return []
        return call === 'pods/get' ? [] : [{ system, call, input: question.input }]
      }),
    )
    const facts = await Promise.all(questions.map(async (question) => source.ask(question)))
    return canonical(facts.map((fact): Json => (fact.state === 'known' ? withoutCounts(fact.value) : fact.state)))
  } finally {
    close()
  }
}
/** Without what the server counts and notes by itself at every write. */
const withoutCounts = (value: Json): Json =>
  JSON.parse(
    JSON.stringify(value, (key, held) =>
      ['resourceVersion', 'generation', 'managedFields', 'modifiedAt'].includes(key) ? undefined : held,
    ),
  )

type Went = { readonly way: Way; readonly said: string }

async function round(one: Case): Promise<Went> {
  const lab = await start(one.path)
  try {
    const { fix, undo } = commandsIn(lab, stateFolder())
    const target = targetOf(one.subject)
    const { namespace } = one.subject
    const where = target === undefined ? ['-A'] : namespace === undefined ? [] : ['-n', namespace]
    const targets = target === undefined ? [] : [target]
    const flags = [...where, '--fail-on', 'warning', '-o', 'json']
    const paper = await fix(targets, flags)
    const actions = listAt(JSON.parse(paper.out), 'actions')
    if (actions.length === 0) return { way: 'nothing to do', said: paper.out }
    expect(paper.code, 'unhealthy at first').toBe(1)
    const before = await answers(actions)
    const wait = apartOf(one.name) === undefined ? '8s' : '1s'
    const acted = await fix(targets, [...flags, '--apply', '--yes', '--wait', wait])
    if (/^✗ not done/m.test(acted.err)) return { way: 'not done', said: acted.err }
    if ((await answers(actions)) === before) return { way: 'changed nothing', said: acted.err }
    const undone = await undo()
    if (undone.code !== 0) return { way: 'not undone', said: undone.out }
    // Neither a restart nor what admitted nobody is put back.
    const isWhole = actions.every((action) => isObject(action) && action.undo !== null)
    if (isWhole && (await answers(actions)) !== before) return { way: 'not as before', said: undone.out }
    return { way: acted.code === 1 ? 'still unhealthy' : 'whole', said: acted.err }
  } finally {
    await lab.close()
  }
}

const told = cases.filter(({ name, plan = [] }) => /^(aws|cluster|workload|eks)\//.test(name) && plan.length > 0)

test.each(told.map((one) => [one.name, one] as const))('%s', async (name, one) => {
  const { way, said } = await round(one)
  expect(way, said).toBe(apartOf(name)?.ends ?? 'whole')
})

test('what stands apart are cases that there are', () => {
  const names = new Set(told.map(({ name }) => name))
  expect(apart.flatMap(({ cases }) => cases).filter((name) => !names.has(name))).toEqual([])
})
