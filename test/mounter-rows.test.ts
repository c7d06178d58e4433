/** The law of the table of mounters: each of its rows is the one by which some case is judged, and judged as the row says. */
import { expect, test } from 'vitest'
import { check } from '../src/checks/storage/mounter-supports-the-identity.ts'
import { examine } from '../src/core/engine.ts'
import { listAt, textAt } from '../src/core/json.ts'
import { subjectKey } from '../src/core/subject.ts'
import type { Row } from '../src/domain/mounters.ts'
import { kubernetes } from '../src/domain/questions.ts'
import { mounters } from '../src/knowledge/mounters.ts'
import { driverUses } from '../src/probes/storage/driver-uses.ts'
import { candidatesOf, choicesOf } from '../src/probes/storage/mounter-rows.ts'
import { scene } from '../src/probes/storage/scene.ts'
import { subjectsFor } from '../src/probes/subjects.ts'
import { remembered } from '../src/sources/remembered.ts'
import { cases } from './case-files.ts'
import { sourceOf } from './examining.ts'

const words: { readonly [verdict: string]: string } = {
  works: 'pass',
  'needs-option': 'pass',
  fails: 'fail',
  unproven: 'unknown',
}

test('for each row there is a case', async () => {
  const seen = new Set<Row>()
  for (const one of cases.filter(({ name }) => name.startsWith('storage/mount'))) {
    const source = remembered(await sourceOf(one))
    const pods = await source.ask(kubernetes.list('pods'))
    for (const pod of pods.state === 'known' ? listAt(pods.value, 'items') : []) {
      const [name = '', namespace = ''] = [textAt(pod, 'metadata', 'name'), textAt(pod, 'metadata', 'namespace')]
      const { subjects } = await subjectsFor(source, { targets: [`pod/${name}`], namespace, documents: true })
      const subject = subjects.find((it) => it.kind === 'Pod' && it.name === name)
      if (subject === undefined) continue
      const { fact, findings } = await examine({ checks: [check], subjects, source })
      const [mounting, drivers] = [await fact(scene, subject), await fact(driverUses, subject)]
      if (mounting.state !== 'known' || drivers.state !== 'known') continue
      const choices = choicesOf(candidatesOf(mounting.value, drivers.value, mounting), mounting.value.modes)
      for (const { row } of choices) if (typeof row !== 'string') seen.add(row)
      // Where one row alone speaks of a pod of the table's own cases, the word on it is the row's.
      const [only, ...others] = choices
      if (only === undefined || typeof only.row === 'string' || others.length > 0 || !one.name.includes('/mounters/'))
        continue
      const word = findings.find((finding) => subjectKey(finding.subject) === subjectKey(subject))
      const fits = only.own && only.row.verdict !== 'fails' ? 'not-applicable' : words[only.row.verdict]
      expect(word?.status, `${one.name}: ${name}: ${word?.message}`).toBe(fits)
    }
  }
  const without = mounters.flatMap(({ tool, modes }) =>
    Object.entries(modes).flatMap(([mode, rows]) =>
      (rows ?? []).flatMap((row) =>
        seen.has(row) ? [] : [`${tool} ${row.versions}${row.level === undefined ? '' : ` (${row.level})`}, ${mode}`],
      ),
    ),
  )
  expect(without).toEqual([])
})
