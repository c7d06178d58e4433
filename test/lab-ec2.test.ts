/** EC2 over the wire, from the lab's query protocol through the real SDK client to the doctor's answers, and what stays unknown. */
import { readFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, afterEach, expect, test, vi } from 'vitest'
import { checks } from '../src/checks/index.ts'
import { examine } from '../src/core/engine.ts'
import { aws } from '../src/domain/questions.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { liveSource } from '../src/sources/live/index.ts'
import { closeLabs, demo, start } from './labs.ts'

const machine = 'i-0123456789abcdef0'
const subnet = 'subnet-0a1b2c3d4e5f60718'
const node = 'ip-10-0-3-17.eu-west-1.compute.internal'
const place = path.join(demo('..'), 'aws/instance-metadata-closed/hop-limit-open.case.yaml')
const texts = {
  'machine.case.yaml': readFileSync(place, 'utf8'),
  'subnets.json': JSON.stringify({
    Subnets: [{ SubnetId: subnet, AvailabilityZone: 'eu-west-1a', AvailableIpAddressCount: 3 }],
  }),
  'types.json': JSON.stringify({
    InstanceTypes: [
      {
        InstanceType: 'x9z.large',
        Hypervisor: 'nitro',
        VCpuInfo: { DefaultVCpus: 2 },
        NetworkInfo: {
          MaximumNetworkInterfaces: 3,
          Ipv4AddressesPerInterface: 10,
          NetworkCards: [{ NetworkCardIndex: 0, MaximumNetworkInterfaces: 3 }],
        },
      },
    ],
  }),
}
afterAll(closeLabs)
afterEach(() => {
  vi.unstubAllEnvs()
})

const sourceOf = async (refuse: readonly string[] = []) => {
  const lab = await start(texts, { refuse })
  // The SDK looks for credentials and endpoints in the environment of the process.
  for (const [name, value] of Object.entries(lab.env)) if (name.startsWith('AWS_')) vi.stubEnv(name, value)
  const live = await liveSource({ flags: { kubeconfig: lab.kubeconfig }, env: lab.env })
  return { lab, ...live }
}

test('machines, subnets and types come as the command line prints them', async () => {
  const { source, close } = await sourceOf()
  try {
    expect(await source.ask(aws.machines('eu-west-1', [machine, 'i-0fedcba9876543210']))).toMatchObject({
      state: 'known',
      value: {
        Reservations: [
          {
            Instances: [
              {
                InstanceId: machine,
                SubnetId: subnet,
                IamInstanceProfile: { Arn: expect.stringContaining('instance-profile/eks-4ac0a1b2') },
                MetadataOptions: { HttpTokens: 'required', HttpPutResponseHopLimit: 2 },
              },
            ],
          },
        ],
      },
    })
    expect(await source.ask(aws.subnets('eu-west-1', subnet))).toMatchObject({
      state: 'known',
      value: { Subnets: [{ SubnetId: subnet, AvailableIpAddressCount: 3 }] },
    })
    expect(await source.ask(aws.instanceType('eu-west-1', 'x9z.large'))).toMatchObject({
      state: 'known',
      value: {
        InstanceTypes: [
          {
            Hypervisor: 'nitro',
            VCpuInfo: { DefaultVCpus: 2 },
            NetworkInfo: { MaximumNetworkInterfaces: 3, Ipv4AddressesPerInterface: 10 },
          },
        ],
      },
    })
    expect(await source.ask(aws.instances())).toMatchObject({ state: 'unknown', why: 'not-collected' })
    expect(await source.ask(aws.subnets('eu-west-1'))).toMatchObject({ state: 'unknown', why: 'not-collected' })
  } finally {
    await close()
  }
})

test('a node that is named is judged by its machine; without the permission nothing is claimed', async () => {
  const statusWith = async (refuse: readonly string[]) => {
    const { source, close } = await sourceOf(refuse)
    try {
      const { subjects } = await subjectsFor(source, { targets: [`node/${node}`] })
      const { findings } = await examine({ checks, subjects, source })
      return findings.find(({ check, subject }) => check === 'aws/instance-metadata-closed' && subject.name === node)
    } finally {
      await close()
    }
  }
  expect(await statusWith([])).toMatchObject({ status: 'fail', messageId: 'hop-limit-open' })
  expect(await statusWith(['ec2:DescribeInstances'])).toMatchObject({
    status: 'unknown',
    lacks: [expect.objectContaining({ lift: 'IAM: ec2:DescribeInstances' })],
  })
})

test('a whole cluster has its nodes judged, one workload does not', async () => {
  const { lab, source, close } = await sourceOf()
  try {
    const everybody = await subjectsFor(source, { targets: [], allNamespaces: true })
    expect(everybody.subjects.filter(({ kind }) => kind === 'Node')).toEqual([
      { kind: 'Node', name: node, whole: true },
    ])
    const one = await subjectsFor(source, { targets: ['sa/cart'], namespace: 'shop' })
    await examine({ checks, subjects: one.subjects, source })
    expect(one.subjects.filter(({ kind }) => kind === 'Node')).toEqual([])
    expect(Object.keys(lab.requests()).filter((request) => request.startsWith('ec2 '))).toEqual([])
  } finally {
    await close()
  }
})
