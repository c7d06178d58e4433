/** Whom a webhook injects an identity into, of those who are judged. */
import { keyOfSubject, type Subject, subjectKey } from '../core/subject.ts'
import { azureClientAnnotation, roleAnnotation } from '../domain/audiences.ts'
import { type Configuration, injectorsOf } from '../domain/webhooks.ts'
import type { ServiceAccount } from '../domain/workloads.ts'

/** Who gets an identity from this webhook: the ServiceAccounts that are judged, and their pods. */
export function injectedBy(
  one: Configuration,
  subjects: readonly Subject[],
  accounts: readonly ServiceAccount[],
): readonly string[] {
  const ofAzure = injectorsOf(one).every(({ injects }) => injects === 'Azure')
  const ofAws = injectorsOf(one).every(({ injects }) => injects === 'AWS')
  const clouds = new Map(
    accounts.map(({ namespace, name, annotations }) => [
      keyOfSubject({ kind: 'ServiceAccount', namespace, name }),
      { aws: Boolean(annotations[roleAnnotation]), azure: Boolean(annotations[azureClientAnnotation]) },
    ]),
  )
  const reaches = (key: string): boolean => {
    const cloud = clouds.get(key)
    return !((ofAzure && cloud?.aws && !cloud.azure) || (ofAws && cloud?.azure && !cloud.aws))
  }
  return subjects.flatMap((subject) =>
    subject.kind === 'ServiceAccount' || subject.kind === 'Pod'
      ? [subject, ...(subject.of ?? [])].some((key) =>
          typeof key === 'string'
            ? key.startsWith('ServiceAccount ') && reaches(key)
            : key.kind === 'ServiceAccount' && reaches(subjectKey(key)),
        )
        ? subjectKey(subject)
        : []
      : [],
  )
}
