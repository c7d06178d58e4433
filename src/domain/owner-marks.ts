/** Who else writes an object, by the marks that tools leave on what they make: they would put the old value back. */
import { at, isObject, type Json, listAt, textAt } from '../core/json.ts'
import type { Owner } from '../core/plan.ts'

type Sign = {
  readonly tool: string
  readonly where: string
  readonly marks: readonly (readonly ['labels' | 'annotations', string, RegExp?])[]
}

/** In the order in which one is named where several left marks: whoever reconciles comes before whoever only installed. */
const signs: readonly Sign[] = [
  {
    // https://argo-cd.readthedocs.io/en/stable/user-guide/resource_tracking/
    tool: 'Argo CD',
    where: 'the repository of its Application',
    marks: [
      ['annotations', 'argocd.argoproj.io/tracking-id'],
      ['labels', 'argocd.argoproj.io/instance'],
    ],
  },
  {
    // https://fluxcd.io/flux/components/kustomize/kustomizations/
    tool: 'Flux',
    where: 'the repository of its Kustomization or HelmRelease',
    marks: [
      ['labels', 'kustomize.toolkit.fluxcd.io/name'],
      ['labels', 'helm.toolkit.fluxcd.io/name'],
    ],
  },
  {
    tool: 'eksctl',
    where: 'the ClusterConfig, iam.serviceAccounts',
    marks: [['labels', 'app.kubernetes.io/managed-by', /^eksctl$/]],
  },
  {
    // https://helm.sh/docs/chart_best_practices/labels/
    tool: 'Helm',
    where: 'the values of its release',
    marks: [
      ['annotations', 'meta.helm.sh/release-name'],
      ['labels', 'app.kubernetes.io/managed-by', /^Helm$/],
    ],
  },
  {
    tool: 'Terraform',
    where: 'its configuration',
    marks: [['labels', 'app.kubernetes.io/managed-by', /^[Tt]erraform$/]],
  },
]

/** Field managers of tools that leave no label. */
const managers: readonly (readonly [RegExp, string, string])[] = [
  [/^argocd-(application-)?controller$/, 'Argo CD', 'the repository of its Application'],
  [/^(kustomize|helm)-controller$/, 'Flux', 'the repository of its Kustomization or HelmRelease'],
  [/^(Terraform|HashiCorp)/, 'Terraform', 'its configuration'],
  [/^eksctl/, 'eksctl', 'the ClusterConfig, iam.serviceAccounts'],
  [/^helm$/i, 'Helm', 'the values of its release'],
]

/** The owner of a Kubernetes object; undefined where nobody left a mark. */
export function ownerOf(object: Json): Owner | undefined {
  const metadata = at(object, 'metadata')
  for (const { tool, where, marks } of signs)
    for (const [map, key, fits] of marks) {
      const value = textAt(metadata, map, key)
      if (value !== undefined && (fits === undefined || fits.test(value)))
        return { tool, where, mark: `${map === 'labels' ? 'label' : 'annotation'} ${key}=${value}` }
    }
  for (const entry of listAt(metadata, 'managedFields')) {
    const manager = textAt(entry, 'manager') ?? ''
    const found = managers.find(([fits]) => fits.test(manager))
    if (found !== undefined) return { tool: found[1], where: found[2], mark: `field manager ${manager}` }
  }
  return undefined
}

const tagSigns: readonly (readonly [RegExp, string, string])[] = [
  [/^alpha\.eksctl\.io\/|^eksctl\.io\//, 'eksctl', 'the ClusterConfig, iam.serviceAccounts'],
  [/^(terraform|tf)[-_:]?(managed|workspace|module)?$/i, 'Terraform', 'its configuration'],
  [/^aws:cloudformation:stack-name$/, 'CloudFormation', 'the template of its stack'],
]

/** The owner of an AWS resource by its tags (`[{Key, Value}…]`); `ManagedBy: terraform` counts too. */
export function ownerByTags(tags: readonly Json[]): Owner | undefined {
  for (const tag of tags.filter(isObject)) {
    const [key, value] = [textAt(tag, 'Key') ?? '', textAt(tag, 'Value') ?? '']
    const mark = `tag ${key}=${value}`
    const found = tagSigns.find(([fits]) => fits.test(key))
    if (found !== undefined) return { tool: found[1], where: found[2], mark }
    if (/^managed[-_ ]?by$/i.test(key) && /terraform/i.test(value))
      return { tool: 'Terraform', where: 'its configuration', mark }
  }
  return undefined
}
