/** What a person does about objects of Cluster API Provider AWS, as command lines. */
import type { Ref } from './capa.ts'
import { resourceOf } from './kubernetes-resources.ts'
import { sh } from './shell-words.ts'

/** Fully named: other providers of Cluster API have kinds of similar names. */
const named = (kind: string, name: string): string => `${resourceOf(kind)}.infrastructure.cluster.x-k8s.io/${name}`

export const showIdentity = ({ kind, name }: Ref): string => sh`kubectl get ${named(kind, name)} -o yaml`
export const editIdentity = ({ kind, name }: Ref): string => sh`kubectl edit ${named(kind, name)}`
export const listIdentities = (kind: string): string =>
  sh`kubectl get ${`${resourceOf(kind)}.infrastructure.cluster.x-k8s.io`}`
/** In every namespace, for the controllers may be installed into any. */
export const findControllers =
  'kubectl get deployments,serviceaccounts -A --field-selector metadata.name=capa-controller-manager'
