/** The doctor's whole way from a folder to its findings, as every test of a case walks it. */
import { checks } from '../src/checks/index.ts'
import type { Check } from '../src/core/check.ts'
import { type Examination, examine, type Observer } from '../src/core/engine.ts'
import type { Source } from '../src/core/fact.ts'
import type { Subject } from '../src/core/subject.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { readDocuments } from '../src/sources/documents/index.ts'
import { redacted } from '../src/sources/redacted.ts'
import { remembered } from '../src/sources/remembered.ts'
import { type Case, targetOf } from './case-files.ts'

/** The documents of a case as the doctor reads them. */
export const sourceOf = async ({ path }: Pick<Case, 'path'>): Promise<Source> =>
  redacted((await readDocuments([path])).source)

export type Examined = Examination & { readonly subjects: readonly Subject[] }

/**
 * Examines a case. `named`: with the target that its subject names, instead of everything in the folder. `chosen`: whom of the checks the
 * subjects are judged by.
 */
export async function examineCase(
  one: Case,
  source: Source,
  named: boolean,
  observer: Observer = {},
  chosen: () => readonly Check[] = () => checks,
): Promise<Examined> {
  const asked = remembered(source)
  const target = named ? targetOf(one.subject) : undefined
  const { namespace } = one.subject
  const { subjects } = await subjectsFor(asked, {
    targets: target === undefined ? [] : [target],
    ...(named && namespace !== undefined ? { namespace } : {}),
    documents: true,
  })
  return { ...(await examine({ checks: chosen(), subjects, source: asked, observer })), subjects }
}
