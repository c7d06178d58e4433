/** Label selectors as kubectl's -l takes them, as a pure predicate. */

type Requirement = (labels: { readonly [key: string]: string }) => boolean

const setBased = /^\s*([^\s!=,()]+)\s+(in|notin)\s*\(([^)]*)\)\s*$/
const equality = /^\s*([^\s!=,()]+)\s*(==|=|!=)\s*([^\s,()]*)\s*$/
const existence = /^\s*(!?)\s*([^\s!=,()]+)\s*$/

/** Splits at commas that stand outside parentheses. */
function parts(selector: string): readonly string[] {
  const found: string[] = []
  let depth = 0
  let from = 0
  for (let i = 0; i <= selector.length; i++) {
    const c = selector[i]
    if (c === '(') depth++
    else if (c === ')') depth--
    else if (c === undefined || (c === ',' && depth === 0)) {
      found.push(selector.slice(from, i))
      from = i + 1
    }
  }
  return found
}

function requirement(part: string): Requirement | undefined {
  const set = setBased.exec(part)
  if (set) {
    const [, key = '', operator, list = ''] = set
    const values = list.split(',').map((value) => value.trim())
    // A label that is not there is "notin" any set: https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/
    return (labels) => values.includes(labels[key] ?? '\0') === (operator === 'in')
  }
  const equal = equality.exec(part)
  if (equal) {
    const [, key = '', operator, value] = equal
    return (labels) => (labels[key] === value) === (operator !== '!=')
  }
  const exists = existence.exec(part)
  if (exists) {
    const [, not, key = ''] = exists
    return (labels) => Object.hasOwn(labels, key) === (not === '')
  }
  return undefined
}

/** The predicate, or the part that is not understood. */
export function labelSelector(selector: string): { readonly matches: Requirement } | { readonly malformed: string } {
  const all: Requirement[] = []
  for (const part of parts(selector)) {
    const one = requirement(part)
    if (one === undefined) return { malformed: part.trim() }
    all.push(one)
  }
  return { matches: (labels) => all.every((one) => one(labels)) }
}
