/** A folder with those above it, for its owner alone. */
import { existsSync, mkdirSync } from 'node:fs'
import path from 'node:path'

const isThere = (error: unknown): boolean => error instanceof Error && 'code' in error && error.code === 'EEXIST'

/**
 * Makes the folder and what is missing above it, one after the other: Node's own recursive mkdir never returns where the kernel says that
 * the parent is missing though it is there, as below /proc (seen with Node 24).
 * @param folder an absolute or relative path
 * @throws the error of the file system where one cannot be made
 */
export function makeFolder(folder: string): void {
  if (existsSync(folder)) return
  makeFolder(path.dirname(path.resolve(folder)))
  try {
    mkdirSync(folder, { mode: 0o700 })
  } catch (error) {
    // Somebody else was faster.
    if (!isThere(error)) throw error
  }
}
