/** A mapping that does without a claim where a token lacks it. */

/** `assertion.a.b` or `assertion['kubernetes.io']['pod']['name']`, step by step; undefined for any other expression. */
function stepsOf(claim: string): readonly string[] | undefined {
  const steps: string[] = []
  let rest = claim.replace(/^assertion/, '')
  if (rest === claim) return undefined
  while (rest !== '') {
    const [all, name, key] = /^(?:\.([A-Za-z_]\w*)|\['([^'\\]+)'\])/.exec(rest) ?? []
    const step = name ?? key
    if (all === undefined || step === undefined) return undefined
    steps.push(step)
    rest = rest.slice(all.length)
  }
  return steps.length === 0 ? undefined : steps
}

/** The expression where the claim and all that leads to it is there, and the empty text where not; undefined where the claim is no plain path. */
export function guarded(expression: string, claim: string): string | undefined {
  const steps = stepsOf(claim)
  if (steps === undefined || expression === '' || expression.length > 1500) return undefined
  const tests = steps.map((step, index) => {
    const holder = `assertion${steps
      .slice(0, index)
      .map((one) => `['${one}']`)
      .join('')}`
    return `'${step}' in ${holder}`
  })
  return `${tests.join(' && ')} ? ${expression} : ''`
}
