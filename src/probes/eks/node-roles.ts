/** The roles that the nodes of the cluster call with: those of its node groups, of its machines, and of refused nodes in a log. */
import { absent, defineProbe, type Fact, known, type Question, type Unknown, unknown } from '../../core/fact.ts'
import { at, type Json, listAt, textAt, textsAt } from '../../core/json.ts'
import { aws } from '../../domain/questions.ts'
import { doors } from './doors.ts'
import { ofEntering } from './observed.ts'

export type NodeRole = {
  /** With its path; without where only a session of it was seen. */
  readonly arn: string
  readonly windows: boolean
  readonly from: Question
  readonly path: string
  /** What a log says of it: that nobody knows it. */
  readonly refused?: string
}

export type NodeRoles = { readonly roles: readonly NodeRole[]; readonly unseen?: Unknown }

const without = (fact: Fact<Json>): boolean =>
  fact.state === 'absent' || (fact.state === 'unknown' && (fact.why === 'not-collected' || fact.why === 'not-asked'))

type Ask = (question: Question) => Fact<Json> | Promise<Fact<Json>>

async function ofGroups(ask: Ask): Promise<readonly (NodeRole | Unknown)[]> {
  const list = await ask(aws.nodegroups())
  if (list.state !== 'known') return list.state === 'unknown' && !without(list) ? [list] : []
  const names = textsAt(list.value, 'nodegroups')
  const rest: readonly Unknown[] =
    at(list.value, 'complete') === false
      ? [
          unknown(
            'not-collected',
            'the list of node groups was not seen',
            list.from,
            'aws eks list-nodegroups --cluster-name CLUSTER',
          ),
        ]
      : []
  const found = await Promise.all(
    names.map(async (name): Promise<NodeRole | Unknown> => {
      const answer = await ask(aws.nodegroup(name))
      const arn = answer.state === 'known' ? textAt(answer.value, 'nodegroup', 'nodeRole') : undefined
      if (arn === undefined)
        return answer.state === 'unknown'
          ? answer
          : {
              state: 'unknown',
              why: 'malformed',
              detail: `node group ${name} came without its role`,
              from: answer.from,
            }
      const kind = answer.state === 'known' ? textAt(answer.value, 'nodegroup', 'amiType') : undefined
      return { arn, windows: kind?.startsWith('WINDOWS') === true, from: answer.from, path: 'nodegroup.nodeRole' }
    }),
  )
  return [...found, ...rest]
}

/** Machines that are tagged as nodes; a machine beside them needs no mapping. */
async function ofMachines(ask: Ask): Promise<readonly (NodeRole | Unknown)[]> {
  const answer = await ask(aws.instances())
  if (answer.state !== 'known') return answer.state === 'unknown' && !without(answer) ? [answer] : []
  const profiles = new Set(
    listAt(answer.value, 'Reservations')
      .flatMap((one) => listAt(one, 'Instances'))
      .filter((machine) => listAt(machine, 'Tags').length > 0)
      .flatMap((machine) => textAt(machine, 'IamInstanceProfile', 'Arn') ?? []),
  )
  return Promise.all(
    [...profiles].map(async (arn): Promise<NodeRole | Unknown> => {
      const profile = await ask(aws.instanceProfile(arn.split(':')[4] ?? '', arn.split('/').at(-1) ?? ''))
      const role =
        profile.state === 'known' ? textAt(at(profile.value, 'InstanceProfile'), 'Roles', 0, 'Arn') : undefined
      if (role !== undefined)
        return { arn: role, windows: false, from: profile.from, path: 'InstanceProfile.Roles[0].Arn' }
      return profile.state === 'unknown'
        ? profile
        : {
            state: 'unknown',
            why: 'malformed',
            detail: `instance profile ${arn} came without a role`,
            from: profile.from,
          }
    }),
  )
}

/** The session of a machine is called after it: i-0123456789abcdef0. */
const machineSession = /arn:([a-z0-9-]+):sts::(\d{12}):assumed-role\/([\w+=,.@-]{1,64})\/i-[0-9a-f]{8,17}\b/

/** Absent where nothing shows which roles the nodes have, or nobody asked about the cluster. */
export const nodeRoles = defineProbe({
  id: 'eks/node-roles',
  about: "the roles of the cluster's nodes",
  scope: 'cluster',
  needs: {},
  wants: { doors, ofEntering },
  ask: async (_have, { doors, ofEntering }, { subject, ask }): Promise<Fact<NodeRoles>> => {
    const question = aws.nodegroups()
    if (subject.whole !== true) return absent(question)
    const refused = (ofEntering.state === 'known' ? ofEntering.value : []).flatMap(({ text, place }): NodeRole[] => {
      const [, partition, account, name] = /(?:identity|ARN) is not mapped/.test(text)
        ? (machineSession.exec(text) ?? [])
        : []
      return name === undefined
        ? []
        : [
            {
              arn: `arn:${partition}:iam::${account}:role/${name}`,
              windows: false,
              from: ofEntering.from,
              path: place,
              refused: text,
            },
          ]
    })
    const asked = doors.state === 'known' ? [...(await ofGroups(ask)), ...(await ofMachines(ask))] : []
    const unseen = asked.find((one): one is Unknown => 'state' in one)
    const byArn = new Map<string, NodeRole>()
    for (const one of [...asked, ...refused]) if (!('state' in one) && !byArn.has(one.arn)) byArn.set(one.arn, one)
    if (byArn.size === 0) return unseen ?? absent(question)
    return known({ roles: [...byArn.values()], ...(unseen === undefined ? {} : { unseen }) }, question)
  },
})
