/** The pods, and the pod templates, that run as the ServiceAccount. */
import { defineProbe, type Fact, known, unknown } from '../../core/fact.ts'
import type { Subject } from '../../core/subject.ts'
import { kubernetes } from '../../domain/questions.ts'
import type { Pod } from '../../domain/workloads.ts'
import { pods, podTemplates, type Shelves } from '../cluster/pods.ts'
import type { Listed } from '../lists.ts'

const ofSubject = (shelves: Shelves, { kind, namespace, name }: Subject, resource: string): Fact<Listed<Pod>> => {
  const question = kubernetes.list(resource, namespace)
  const shelf = kind === 'ServiceAccount' && namespace !== undefined ? shelves.get(namespace) : undefined
  if (shelf === undefined) return unknown('not-collected', 'no ServiceAccount was seen', question)
  if (shelf.fact.state !== 'known') return shelf.fact
  return known({ ...shelf.fact.value, items: shelf.by.get(name) ?? [] }, shelf.fact.from)
}

export const podsOfServiceAccount = defineProbe({
  id: 'workload/pods',
  about: 'the pods that run as the ServiceAccount',
  scope: 'service-account',
  needs: { pods },
  wants: {},
  ask: ({ pods }, _want, { subject }): Fact<Listed<Pod>> =>
    pods.state === 'known' ? ofSubject(pods.value, subject, 'pods') : pods,
})

export const templatesOfServiceAccount = defineProbe({
  id: 'workload/pod-templates',
  about: 'the pod templates that name the ServiceAccount',
  scope: 'service-account',
  needs: { podTemplates },
  wants: {},
  ask: ({ podTemplates }, _want, { subject }): Fact<Listed<Pod>> =>
    podTemplates.state === 'known' ? ofSubject(podTemplates.value, subject, 'deployments') : podTemplates,
})

/** All pods of the ServiceAccount's namespace, whatever they run as. */
export const podsOfNamespace = defineProbe({
  id: 'workload/namespace-pods',
  about: 'the pods of the namespace',
  scope: 'service-account',
  needs: { pods },
  wants: {},
  ask: ({ pods }, _want, { subject }): Fact<Listed<Pod>> => {
    const shelf =
      pods.state === 'known' && subject.namespace !== undefined ? pods.value.get(subject.namespace) : undefined
    return shelf?.fact ?? unknown('not-collected', 'no namespace was named', kubernetes.list('pods'))
  },
})

/** All pod templates of the ServiceAccount's namespace, whatever they run as. */
export const templatesOfNamespace = defineProbe({
  id: 'workload/namespace-pod-templates',
  about: 'the pod templates of the namespace',
  scope: 'service-account',
  needs: { podTemplates },
  wants: {},
  ask: ({ podTemplates }, _want, { subject }): Fact<Listed<Pod>> => {
    const shelf =
      podTemplates.state === 'known' && subject.namespace !== undefined
        ? podTemplates.value.get(subject.namespace)
        : undefined
    return shelf?.fact ?? unknown('not-collected', 'no namespace was named', kubernetes.list('deployments'))
  },
})
