/** The first step of a proof: which identity was given, what each SDK takes first, and what shadows it. */
import type { Outcome } from '../core/proof.ts'
import type { CloudOrder, Found } from '../domain/credential-order.ts'

const listed = (names: readonly string[]): string => names.join(', ')

/** What the pod has, what every SDK would take first, and what stands before the identity that it was given. */
export function identityOutcome({ given, families, shadows }: CloudOrder, mechanism: string): Outcome {
  const first = ({ takes }: { readonly takes: readonly Found[] }): string => takes[0]?.by.join(', ') ?? 'nothing'
  const alike = families.length > 1 && families.every((one) => first(one) === first(families[0] ?? one))
  const details = alike
    ? [['taken', `${first(families[0] ?? { takes: [] })}, by all SDKs`] as const]
    : families.map((one) => [one.family, first(one)] as const)
  if (given === undefined) return { status: 'unknown', says: 'no workload identity was given', details }
  const [shadow] = shadows
  if (shadow === undefined) return { status: 'pass', says: `${mechanism}, by ${listed(given.by)}`, details }
  const who = shadow.families.length === families.length ? 'every SDK takes' : `${listed(shadow.families)} takes`
  const says = `${mechanism} is shadowed: ${who} ${listed(shadow.by.by)} first`
  return {
    status: 'fail',
    says,
    details,
    causes: [
      {
        check: 'workload/static-credentials-are-absent',
        says: 'what was put there by hand is taken before what the pod was given',
      },
    ],
  }
}

const mechanisms: { readonly [way: string]: string } = {
  'web-identity': 'web identity',
  'container-credentials': 'EKS Pod Identity',
  'external-account': 'workload identity federation',
  'metadata-server': 'the metadata server',
  'federated-token': 'workload identity',
  'managed-identity': 'managed identity',
}
/** What people call the way; `none` where the pod was given no workload identity of this cloud. */
export const mechanismOf = ({ given }: CloudOrder): string =>
  given === undefined ? 'none' : (mechanisms[given.way] ?? given.way)
