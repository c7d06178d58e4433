/** The flags of kube-apiserver, where its pod can be seen: they decide which issuer signs and which are accepted. */
import { absent, defineProbe, type Fact, known, onward, unknown } from '../../core/fact.ts'
import type { Json } from '../../core/json.ts'
import { kubernetes } from '../../domain/questions.ts'
import { readPod } from '../../domain/workload-objects.ts'
import type { Pod } from '../../domain/workloads.ts'
import { type Listed, listed } from '../lists.ts'

export type ApiServer = {
  readonly pod: string
  /** In order: the first signs, all are accepted (several from 1.22); empty where the flag was not seen. */
  readonly issuers: readonly string[]
  readonly jwksUri?: string
  readonly audiences: readonly string[]
  readonly anonymousAuth?: boolean
  /** The words of its command that tell how tokens are made. */
  readonly command: readonly string[]
}

/** Values of a flag in the order given, written `--flag=value` or `--flag value`. */
export function flagValues(command: readonly string[], flag: string): readonly string[] {
  const found: string[] = []
  for (const [index, word] of command.entries()) {
    if (word.startsWith(`--${flag}=`)) found.push(word.slice(flag.length + 3))
    else if (word === `--${flag}`) {
      const next = command[index + 1]
      if (next !== undefined && !next.startsWith('--')) found.push(next)
    }
  }
  return found
}

const isApiServer = ({ labels, name, containers }: Pod): boolean =>
  labels.component === 'kube-apiserver' ||
  labels['k8s-app'] === 'kube-apiserver' ||
  (name.startsWith('kube-apiserver') && containers.some((one) => one.name === 'kube-apiserver'))

const read = (pod: Pod): ApiServer | undefined => {
  const command = (pod.containers.find(({ name }) => name === 'kube-apiserver') ?? pod.containers[0])?.command ?? []
  const issuers = flagValues(command, 'service-account-issuer')
  // The flags were cut out, or stand in a file or a wrapper that nobody showed.
  if (command.every((word) => !word.startsWith('--'))) return undefined
  const jwksUri = flagValues(command, 'service-account-jwks-uri').at(-1)
  const anonymous = command.filter((word) => word.startsWith('--anonymous-auth=')).at(-1)
  return {
    pod: `${pod.namespace}/${pod.name}`,
    issuers,
    command,
    audiences: flagValues(command, 'api-audiences').flatMap((value) => value.split(',')),
    ...(jwksUri === undefined ? {} : { jwksUri }),
    ...(anonymous === undefined ? {} : { anonymousAuth: anonymous !== '--anonymous-auth=false' }),
  }
}

const question = kubernetes.list('pods', 'kube-system')

const choose = (pods: Fact<Listed<Pod>>): Fact<ApiServer> => {
  if (pods.state !== 'known') return pods
  const servers = pods.value.items.filter(isApiServer)
  const found = servers.flatMap((pod) => read(pod) ?? [])[0]
  if (found !== undefined) return known(found, question)
  // A managed control plane shows no such pod, and nothing is missing then.
  if (servers.length === 0 && pods.value.complete) return absent(question)
  return unknown(
    'not-collected',
    'the flags of kube-apiserver were not seen',
    question,
    'kubectl get pods -n kube-system -l component=kube-apiserver -o yaml',
  )
}

export const apiServer = defineProbe<ApiServer>({
  id: 'cluster/api-server',
  about: 'the flags of kube-apiserver',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, inquiry) =>
    onward<Fact<Json>, Fact<ApiServer>>(inquiry.ask(question), (fact) => choose(listed(fact, readPod))),
})
