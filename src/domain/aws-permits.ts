/** Whether permission policies let their holder assume one role, as far as they tell. */
import type { Json } from '../core/json.ts'
import { like } from './aws-trust-patterns.ts'
import { judgeAction } from './aws-trust-principal.ts'
import { entries, isObject, type JsonObject, member, scalarText, statementsOf } from './aws-trust-shapes.ts'

const texts = (statement: JsonObject, name: string): readonly string[] => {
  const value = member(statement, name)
  return value === undefined ? [] : entries(value, '').flatMap(({ raw }) => scalarText(raw) ?? [])
}

export type Permits = {
  /** `depends`: on a condition, a variable, or an explicit Deny that may apply. */
  readonly permits: true | false | 'depends'
  /** Roles that may be assumed, as written. */
  readonly others: readonly string[]
}

/** https://docs.aws.amazon.com/IAM/latest/UserGuide/reference_policies_evaluation-logic.html */
export function permitsAssumeRole(policies: readonly Json[], target: string): Permits {
  let permits: Permits['permits'] = false
  let denied: Permits['permits'] = false
  const others: string[] = []
  for (const policy of policies)
    for (const { raw, path } of statementsOf(policy).found) {
      if (!isObject(raw) || judgeAction(raw, path, 'sts:AssumeRole').truth === false) continue
      const effect = scalarText(member(raw, 'Effect'))
      const resources = texts(raw, 'Resource')
      const fits =
        member(raw, 'NotResource') === undefined
          ? resources.some((one) => like(one, target))
          : !texts(raw, 'NotResource').some((one) => like(one, target))
      const open = member(raw, 'Condition') !== undefined || resources.some((one) => one.includes('${'))
      if (effect === 'Deny') {
        if (fits) denied = open ? (denied === true ? true : 'depends') : true
      } else if (fits) permits = open ? (permits === true ? true : 'depends') : true
      else others.push(...resources)
    }
  if (denied === true) return { permits: false, others }
  return { permits: denied === 'depends' && permits !== false ? 'depends' : permits, others }
}
