/** The lane that the run has started, and how a test file says what it cannot do without. */
import { describe, inject } from 'vitest'
import type { Lane } from './lane.ts'

declare module 'vitest' {
  interface ProvidedContext {
    lane: Lane
  }
}

export const lane: Lane = inject('lane')

type Part = 'cluster' | 'own cluster' | 'cloud' | 'storage' | 'idp'

/** `describe` where the lane has these parts; where it has not, the tests are skipped under a title that says why. */
export function describeWith(parts: readonly Part[], title: string, tests: () => void): void {
  const lacking = parts.filter((part) => !has(part))
  if (lacking.length === 0) return void describe(title, tests)
  const why = [...lane.leftOut.map(({ server, why }) => `${server}: ${why}`)].join('; ')
  describe.skip(`${title} (left out, no ${lacking.join(' and no ')}: ${why || 'the cluster is a given one'})`, tests)
}

const has = (part: Part): boolean => (part === 'own cluster' ? lane.cluster?.given === false : lane[part] !== undefined)
