/** The AWS Load Balancer Controller, where the ServiceAccount is its own, and the machines that it would ask about its VPC. */
import { absent, defineProbe, type Fact, known, onward, type Soon, unknown } from '../../core/fact.ts'
import { at, type JsonObject, listAt } from '../../core/json.ts'
import { type ObjectPlace, rolling } from '../../domain/kubernetes-changes.ts'
import { aws, kubernetes } from '../../domain/questions.ts'
import { flagValues } from '../cluster/api-server.ts'
import { templatesOfServiceAccount } from '../workload/pods.ts'
import { templateAt } from '../workload/template.ts'
import { isController } from './services.ts'

export type Controller = {
  /** `deployment/aws-load-balancer-controller`. */
  readonly workload: string
  readonly namespace: string
  /** Its arguments say where it is, so that it asks no metadata. */
  readonly told: boolean
  readonly hostNetwork: boolean
  /** It brings keys of its own. */
  readonly keys: boolean
}

const keyed = (env: { readonly [name: string]: string | null }): boolean =>
  env.AWS_ACCESS_KEY_ID !== undefined || env.AWS_ROLE_ARN !== undefined

/** Absent for every other ServiceAccount; unknown only where its name says that it is one. */
export const controller = defineProbe({
  id: 'eks/load-balancer-controller',
  about: 'the Deployment of the AWS Load Balancer Controller',
  scope: 'service-account',
  needs: {},
  wants: { templatesOfServiceAccount },
  ask: (_have, { templatesOfServiceAccount }, { subject }): Fact<Controller> => {
    const question = kubernetes.list('deployments', subject.namespace)
    if (subject.kind !== 'ServiceAccount') return absent(question)
    const templates = templatesOfServiceAccount.state === 'known' ? templatesOfServiceAccount.value.items : []
    const found = templates.find((one) => one.kind === 'Deployment' && isController(one))
    if (found === undefined)
      return templatesOfServiceAccount.state === 'unknown' && isController(subject)
        ? unknown(
            templatesOfServiceAccount.why,
            templatesOfServiceAccount.detail,
            question,
            templatesOfServiceAccount.lift,
          )
        : absent(question)
    const words = found.containers.flatMap(({ command }) => command)
    return known(
      {
        workload: `deployment/${found.name}`,
        namespace: found.namespace,
        told: flagValues(words, 'aws-vpc-id').length > 0 || flagValues(words, 'aws-vpc-tags').length > 0,
        hostNetwork: found.hostNetwork,
        keys: found.containers.some(({ env, envFrom }) => envFrom || keyed(env)),
      },
      question,
    )
  },
})

/** How many hops an answer of the instance metadata goes, the greatest of all tagged machines; asked where the controller needs it. */
export const hopLimit = defineProbe({
  id: 'eks/metadata-hop-limit',
  about: "the hop limit of the nodes' instance metadata",
  scope: 'service-account',
  needs: {},
  wants: { controller },
  ask: (_have, { controller }, { ask }): Soon<Fact<number>> => {
    const question = aws.instances()
    if (controller.state !== 'known' || controller.value.told || controller.value.hostNetwork) return absent(question)
    return onward(ask(question), (answer): Fact<number> => {
      if (answer.state === 'unknown' && answer.why === 'not-asked')
        return unknown(
          'not-asked',
          'the hop limit of the nodes, which the controller depends on without --aws-vpc-id, was not looked up',
          question,
          'aws ec2 describe-instances > instances.json, given with -f instances.json --overlay',
        )
      if (answer.state !== 'known') return answer
      const limits = listAt(answer.value, 'Reservations')
        .flatMap((one) => listAt(one, 'Instances'))
        .filter((machine) => listAt(machine, 'Tags').length > 0)
        .map((machine) => at(machine, 'MetadataOptions', 'HttpPutResponseHopLimit'))
      const numbers = limits.filter((limit) => typeof limit === 'number')
      return numbers.length === 0 || numbers.length < limits.length
        ? unknown(
            'not-collected',
            'no hop limit of a node was seen',
            question,
            'aws ec2 describe-instances > instances.json',
          )
        : known(Math.max(...numbers), question)
    })
  },
})

/** Its pod template with the place of its Deployment, asked for only where something is to change in it. */
export const controllerTemplate = defineProbe({
  id: 'eks/load-balancer-controller-template',
  about: 'the pod template of the AWS Load Balancer Controller',
  scope: 'service-account',
  needs: { controller },
  wants: {},
  only: 'controller',
  ask: ({ controller }, _want, inquiry): Soon<Fact<{ readonly place: ObjectPlace; readonly template: JsonObject }>> => {
    const place = rolling(controller.value.workload, controller.value.namespace)
    if (place === undefined) return absent(controller.from)
    return onward(templateAt(place, inquiry), (fact) =>
      fact.state === 'known' ? known({ place, template: fact.value }, fact.from) : fact,
    )
  },
})
