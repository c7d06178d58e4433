/** EC2 over its query protocol: the machines, subnets and instance types of the case. */
import { randomUUID } from 'node:crypto'
import { isList, isObject, type Json, type JsonObject, listAt, textAt } from '../core/json.ts'
import { isSigned } from './aws-query.ts'
import type { Handler, Reply } from './listener.ts'

const namespace = 'http://ec2.amazonaws.com/doc/2016-11-15/'

export type Machines = {
  /** Left out where the case does not show them. */
  readonly instances?: readonly JsonObject[]
  readonly subnets?: readonly JsonObject[]
  readonly types?: readonly JsonObject[]
}

/** What the case shows of EC2, as the command line prints it. */
export function machinesIn(values: readonly JsonObject[]): Machines {
  const all = (member: string): readonly JsonObject[] | undefined => {
    const lists = values.filter((value) => value.apiVersion === undefined && isList(value[member]))
    return lists.length === 0 ? undefined : lists.flatMap((value) => listAt(value, member)).filter(isObject)
  }
  const reservations = all('Reservations')
  const subnets = all('Subnets')
  const types = all('InstanceTypes')
  return {
    ...(reservations && {
      instances: reservations.flatMap((one) => listAt(one, 'Instances')).filter(isObject),
    }),
    ...(subnets && { subnets }),
    ...(types && { types }),
  }
}

const escaped = (text: string): string => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;')
/** EC2 has names of its own on the wire: https://docs.aws.amazon.com/AWSEC2/latest/APIReference/API_Instance.html */
const wireNames: { readonly [member: string]: string } = {
  IamInstanceProfile: 'iamInstanceProfile',
  NetworkCards: 'networkCards',
  Tags: 'tagSet',
  VCpuInfo: 'vCpuInfo',
}
const onTheWire = (member: string): string => wireNames[member] ?? `${member.charAt(0).toLowerCase()}${member.slice(1)}`

function written(value: Json): string {
  if (isList(value)) return value.map((one) => `<item>${written(one)}</item>`).join('')
  if (!isObject(value)) return escaped(String(value))
  return Object.entries(value)
    .map(([member, inner]) => `<${onTheWire(member)}>${written(inner)}</${onTheWire(member)}>`)
    .join('')
}

/** `Filter.1.Name`, `Filter.1.Value.1`, …: each filter with the values that it lets through. */
function filtersIn(form: URLSearchParams): readonly (readonly [name: string, values: ReadonlySet<string>])[] {
  const found: [string, Set<string>][] = []
  for (let i = 1; form.has(`Filter.${i}.Name`); i += 1) {
    const values = new Set<string>()
    for (let j = 1; form.has(`Filter.${i}.Value.${j}`); j += 1) values.add(form.get(`Filter.${i}.Value.${j}`) ?? '')
    found.push([form.get(`Filter.${i}.Name`) ?? '', values])
  }
  return found
}

const filters: { readonly [name: string]: string } = {
  'instance-id': 'InstanceId',
  'subnet-id': 'SubnetId',
  'instance-type': 'InstanceType',
}

/** `refused` tells by `ec2:DescribeInstances` which calls the signed-in identity may not make. */
export function ec2Service(machines: Machines, refused: (action: string) => boolean): Handler {
  const reply = (status: number, body: string): Reply => ({
    status,
    headers: { 'content-type': 'text/xml;charset=UTF-8', 'x-amzn-requestid': randomUUID() },
    body: `<?xml version="1.0" encoding="UTF-8"?>\n${body}`,
  })
  const refusal = (status: number, code: string, message: string): Reply =>
    reply(
      status,
      `<Response><Errors><Error><Code>${code}</Code><Message>${escaped(message)}</Message></Error></Errors><RequestID>${randomUUID()}</RequestID></Response>`,
    )
  const shown: { readonly [action: string]: readonly [set: string, all: readonly JsonObject[] | undefined] } = {
    DescribeInstances: ['reservationSet', machines.instances],
    DescribeSubnets: ['subnetSet', machines.subnets],
    DescribeInstanceTypes: ['instanceTypeSet', machines.types],
  }
  return (request) => {
    const form = new URLSearchParams([...request.query, ...new URLSearchParams(request.body)])
    const action = form.get('Action') ?? ''
    if (!isSigned(request))
      return refusal(401, 'AuthFailure', 'AWS was not able to validate the provided access credentials')
    if (!Object.hasOwn(shown, action))
      return refusal(400, 'InvalidAction', `The action ${action} is not valid for this web service.`)
    const [set = '', all] = shown[action] ?? []
    // What the case does not show may not be concluded from.
    if (refused(`ec2:${action}`) || all === undefined)
      return refusal(403, 'UnauthorizedOperation', `You are not authorized to perform this operation: ec2:${action}.`)
    const wanted = filtersIn(form)
    const unknown = wanted.find(([name]) => filters[name] === undefined)
    if (unknown !== undefined) return refusal(400, 'InvalidParameterValue', `The filter '${unknown[0]}' is invalid`)
    const found = all.filter((one) =>
      wanted.every(([name, values]) => values.has(textAt(one, filters[name] ?? '') ?? '')),
    )
    const items = found
      .map((one) =>
        action === 'DescribeInstances'
          ? `<item><instancesSet><item>${written(one)}</item></instancesSet></item>`
          : `<item>${written(one)}</item>`,
      )
      .join('')
    return reply(
      200,
      `<${action}Response xmlns="${namespace}"><requestId>${randomUUID()}</requestId><${set}>${items}</${set}></${action}Response>`,
    )
  }
}
