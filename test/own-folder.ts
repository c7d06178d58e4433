/** A folder of a test file's own, gone when the file has ended. */
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import path from 'node:path'
import { afterAll } from 'vitest'

/** To be called where the file begins. */
export function ownFolder(name: string) {
  const folder = mkdtempSync(path.join(tmpdir(), `kubectl-wi-${name}-`))
  afterAll(() => rmSync(folder, { recursive: true, force: true }))
  return {
    folder,
    /** Writes a text in it, under any path, and returns where it stands. */
    write: (file: string, text: string): string => {
      const place = path.join(folder, file)
      mkdirSync(path.dirname(place), { recursive: true })
      writeFileSync(place, text)
      return place
    },
  }
}
