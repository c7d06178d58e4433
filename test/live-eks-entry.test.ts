/** Who enters an EKS cluster, asked over the wire: access entries and node groups, in pages, and what is not there. */
import { expect, test } from 'vitest'
import { aws } from '../src/domain/questions.ts'
import { account, awsTests } from './live-amazon.ts'
import { type Answer, json } from './live-doubles.ts'

const { cloud } = awsTests()
const endpoint = 'https://0123456789ABCDEF0123456789ABCDEF.gr7.eu-central-1.eks.amazonaws.com'
const cluster = {
  name: 'prod',
  arn: `arn:aws:eks:eu-central-1:${account}:cluster/prod`,
  endpoint,
  accessConfig: { authenticationMode: 'API' },
}
const dev = `arn:aws:iam::${account}:role/team/dev`
const node = `arn:aws:iam::${account}:role/node`

const rest: Answer = ({ url }, r) => {
  const path = decodeURIComponent(url.pathname)
  if (path === '/clusters/prod') return json(r, 200, { cluster })
  if (path === '/clusters/prod/access-entries')
    return url.searchParams.get('nextToken') === 'more'
      ? json(r, 200, { accessEntries: [node], nextToken: null })
      : json(r, 200, { accessEntries: [dev], nextToken: 'more' })
  if (path === `/clusters/prod/access-entries/${dev}`)
    return json(r, 200, {
      accessEntry: { principalArn: dev, type: 'STANDARD', kubernetesGroups: ['developers'], createdAt: 1714557600 },
    })
  if (path === '/clusters/prod/node-groups') return json(r, 200, { nodegroups: ['general'], nextToken: null })
  if (path === '/clusters/prod/node-groups/general')
    return json(r, 200, { nodegroup: { nodegroupName: 'general', nodeRole: node, amiType: 'AL2023_x86_64_STANDARD' } })
  json(r, 404, { message: 'No such resource' }, { 'x-amzn-errortype': 'ResourceNotFoundException' })
}

test('access entries and node groups come as the command line prints them', async () => {
  const source = await cloud(rest, { hint: { name: 'prod', region: 'eu-central-1', endpoint: true }, server: endpoint })
  expect(await source.ask(aws.accessEntries())).toMatchObject({
    state: 'known',
    value: { accessEntries: [dev, node], complete: true },
  })
  expect(await source.ask(aws.accessEntry(dev))).toMatchObject({
    state: 'known',
    value: { accessEntry: { principalArn: dev, createdAt: '2024-05-01T10:00:00.000Z' } },
  })
  expect(await source.ask(aws.accessEntry(node))).toMatchObject({ state: 'absent' })
  expect(await source.ask(aws.nodegroups())).toMatchObject({
    state: 'known',
    value: { nodegroups: ['general'], complete: true },
  })
  expect(await source.ask(aws.nodegroup('general'))).toMatchObject({
    state: 'known',
    value: { nodegroup: { nodeRole: node } },
  })
})

test('nobody looks up all machines of an account, and that is said', async () => {
  const source = await cloud(rest, { hint: { name: 'prod', region: 'eu-central-1', endpoint: true }, server: endpoint })
  expect(await source.ask(aws.instances())).toMatchObject({ state: 'unknown', why: 'not-collected' })
})
