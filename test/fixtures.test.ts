/** Every case says what the doctor has to find in it, what has to pass, and what must never be claimed. */
import { describe, expect, test } from 'vitest'
import { checks } from '../src/checks/index.ts'
import { related } from '../src/core/subject.ts'
import { cases } from './case-files.ts'
import { examineCase, sourceOf } from './examining.ts'

const ours = new Set<string>(checks.map(({ meta }) => meta.id))

describe.each(cases)('$name', (one) => {
  // A real case may show more causes than there are checks for yet; what is judged must be right.
  test.each([true, false])('is judged as its expectation says (its subject named: %s)', async (named) => {
    const { findings } = await examineCase(one, await sourceOf(one), named)
    const about = findings.filter(({ subject }) => related(subject, one.subject))
    const failed = about
      .filter(({ status }) => status === 'fail')
      .map(({ check, messageId }) => `${check}: ${messageId}`)
    const said = about.map(({ check, status, message }) => `${check} ${status}: ${message}`).join('\n')
    for (const { check, message } of one.finds)
      if (ours.has(check)) expect(failed, said).toContain(`${check}: ${message}`)
    for (const check of one.passes)
      if (ours.has(check))
        expect(
          about.filter((finding) => finding.check === check).map(({ status }) => status),
          said,
        ).toContain('pass')
    for (const check of one.never)
      expect(
        failed.filter((text) => text.startsWith(`${check}: `)),
        said,
      ).toEqual([])
    for (const check of one.open)
      if (ours.has(check))
        expect(
          [...new Set(about.filter((finding) => finding.check === check).map(({ status }) => status))],
          said,
        ).toEqual(['unknown'])
    expect(
      findings.filter(({ status }) => status === 'crashed'),
      said,
    ).toEqual([])
  })

  test('its expectation speaks of checks that exist or of none', () => {
    expect(one.finds.length + one.passes.length + one.open.length).toBeGreaterThan(0)
  })
})
