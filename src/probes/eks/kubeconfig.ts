/** The collected kubeconfig, where it signs in to EKS, and whom AWS takes its user for. */
import { absent, defineProbe, type Fact, inquire, known, onward, reading, type Soon } from '../../core/fact.ts'
import { at, isObject, type Json, textAt } from '../../core/json.ts'
import { aws, kubernetes } from '../../domain/questions.ts'
import { isUncollected } from './aws-auth.ts'

export type SignIn = {
  readonly user: string
  readonly server: string
  readonly command: string
  readonly apiVersion?: string
  /** The cluster that the token is asked for. */
  readonly clusterName?: string
  readonly role?: string
  readonly profile?: string
}

const read = (json: Json): SignIn | undefined => {
  const exec = at(json, 'exec')
  const command = textAt(exec, 'command')
  if (!isObject(exec) || command === undefined) return undefined
  const said = (name: 'apiVersion' | 'clusterName' | 'role' | 'profile') => {
    const value = textAt(exec, name)
    return value === undefined ? {} : { [name]: value }
  }
  return {
    user: textAt(json, 'user') ?? 'of the kubeconfig',
    server: textAt(json, 'server') ?? '',
    command,
    ...said('apiVersion'),
    ...said('clusterName'),
    ...said('role'),
    ...said('profile'),
  }
}

/** https://docs.aws.amazon.com/eks/latest/userguide/create-kubeconfig.html */
const isOfEks = ({ command, clusterName }: SignIn): boolean =>
  /(?:^|[/\\])(?:aws|aws-iam-authenticator)(?:\.exe|\.cmd)?$/.test(command) && clusterName !== undefined

/** Absent where no kubeconfig that signs in to EKS was collected; a live run has come in by its own. */
export const signIn = defineProbe({
  id: 'eks/kubeconfig',
  about: 'the kubeconfig',
  scope: 'cluster',
  needs: {},
  wants: {},
  ask: (_have, _want, { subject, ask }): Soon<Fact<SignIn>> => {
    const question = kubernetes.currentContext()
    if (subject.whole !== true) return absent(question)
    return onward(ask(question), (answer): Fact<SignIn> => {
      if (isUncollected(answer)) return absent(question)
      if (answer.state === 'known' && at(answer.value, 'exec') === undefined) return absent(question)
      const found = reading(answer, read)
      return found.state === 'known' && !isOfEks(found.value) ? absent(question) : found
    })
  },
})

/** Absent where nobody signs in to EKS, or nobody collected it. */
export const signedInAs = defineProbe({
  id: 'eks/caller',
  about: 'whom AWS takes the credentials for',
  scope: 'cluster',
  needs: {},
  wants: { signIn },
  ask: (_have, { signIn }, { ask }): Soon<Fact<string>> => {
    const question = aws.callerIdentity()
    if (signIn.state !== 'known') return absent(question)
    return onward(ask(question), (answer) =>
      isUncollected(answer) ? absent(question) : reading(answer, (json) => textAt(json, 'Arn')),
    )
  },
})

export type Endpoint = { readonly name: string; readonly endpoint: string }

export const endpoint = defineProbe({
  id: 'eks/endpoint',
  about: 'the endpoint of the EKS cluster',
  scope: 'cluster',
  needs: {},
  wants: { signIn },
  ask: (_have, { signIn }, inquiry): Soon<Fact<Endpoint>> => {
    if (signIn.state !== 'known') return absent(aws.cluster())
    return onward(
      inquire(inquiry, aws.cluster(), (json): Endpoint | 'cut' => {
        const name = textAt(json, 'cluster', 'name')
        const endpoint = textAt(json, 'cluster', 'endpoint')
        return name === undefined || endpoint === undefined ? 'cut' : { name, endpoint }
      }),
      (fact): Fact<Endpoint> => {
        if (fact.state !== 'known') return isUncollected(fact) ? absent(fact.from) : fact
        return fact.value === 'cut' ? absent(fact.from) : known(fact.value, fact.from)
      },
    )
  },
})
