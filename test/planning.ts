/** The plan for a case, made as `kubectl wi fix` makes it, over its documents. */
import { checks } from '../src/checks/index.ts'
import type { Source } from '../src/core/fact.ts'
import type { Plan } from '../src/core/plan.ts'
import { makePlan, type PlanOrder } from '../src/examine/plan.ts'
import { fixers } from '../src/fixers/index.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { remembered } from '../src/sources/remembered.ts'
import { type Case, targetOf } from './case-files.ts'

/** With every check judged, and every failure of the case's own subject (or, not `named`, of all) to be put right. */
export function planCase(one: Case, source: Source, named = true, more: Partial<PlanOrder> = {}): Promise<Plan> {
  const target = named ? targetOf(one.subject) : undefined
  const { namespace } = one.subject
  return makePlan({
    checks,
    fixers,
    source: remembered(source),
    subjectsIn: async (world) => {
      const { subjects } = await subjectsFor(world, {
        targets: target === undefined ? [] : [target],
        ...(named && namespace !== undefined ? { namespace } : {}),
        documents: true,
      })
      return subjects
    },
    ...more,
  })
}
