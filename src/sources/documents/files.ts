/** Walks the paths given to -f and reads every file in them, bounded in number, size and depth; what cannot be read is a sentence. */
import { lstat, readdir, readFile, realpath, stat } from 'node:fs/promises'
import path from 'node:path'
import type { Problem, TextFile } from './document.ts'

const mostFiles = 20_000
const largestFile = 64 * 1024 * 1024
const largestFolder = 1024 * 1024 * 1024
const deepest = 40

export type ReadFiles = {
  readonly files: readonly TextFile[]
  /** Files that are no text at all. */
  readonly binary: readonly string[]
  readonly problems: readonly Problem[]
}

const reasons: { readonly [code: string]: string } = {
  ENOENT: 'there is no such file or folder',
  EACCES: 'it may not be read (permission denied)',
  EPERM: 'it may not be read (operation not permitted)',
  ELOOP: 'it is a link that leads back to itself',
  EISDIR: 'it is a folder',
  ENAMETOOLONG: 'its name is too long',
}

function reasonOf(error: unknown): string {
  const code = error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : ''
  return reasons[code] ?? `it could not be read (${code || 'unknown error'})`
}

/** The text of a file in UTF-8, or in UTF-16 as PowerShell writes it; undefined for anything else. */
export function textOf(bytes: Buffer): string | undefined {
  if (bytes[0] === 0xff && bytes[1] === 0xfe) return bytes.toString('utf16le', 2)
  const text = bytes.toString('utf8', bytes[0] === 0xef && bytes[1] === 0xbb && bytes[2] === 0xbf ? 3 : 0)
  return text.slice(0, 8192).includes('\0') ? undefined : text
}

/** Hidden files are of an editor or of git; `expect.yaml` is what a case expects, not what it shows. */
const isPassedOver = (name: string): boolean => name.startsWith('.') || name === 'expect.yaml'

/** Reads the files at these paths, folders recursively, in the order of their names. Never throws. */
export async function readFiles(paths: readonly string[], signal?: AbortSignal): Promise<ReadFiles> {
  const files: TextFile[] = []
  const binary: string[] = []
  const problems: Problem[] = []
  const seen = new Set<string>()
  let total = 0
  let full = false

  const problem = (file: string, message: string): void => {
    problems.push({ file, message: `${file}: ${message}` })
  }

  const read = async (place: string, shown: string): Promise<void> => {
    const real = await realpath(place)
    if (seen.has(real) || full) return
    seen.add(real)
    const { size } = await stat(real)
    if (size > largestFile)
      return problem(
        shown,
        `it is larger than ${largestFile >> 20} MiB and was not read; split it or leave out what is not needed`,
      )
    if (seen.size > mostFiles || total + size > largestFolder) {
      full = true
      const bound = seen.size > mostFiles ? `${mostFiles} files` : `${largestFolder >> 30} GiB`
      return problem(
        shown,
        `this and what comes after it was not read, for there is more than ${bound}; name a smaller folder`,
      )
    }
    const bytes = await readFile(real, { signal })
    total += bytes.length
    const text = textOf(bytes)
    if (text === undefined) binary.push(shown)
    else files.push({ name: shown, text })
  }

  const visit = async (place: string, root: string | undefined, depth: number): Promise<void> => {
    if (signal?.aborted || full) return
    const shown = place.split(path.sep).join('/')
    try {
      const kind = root === undefined ? await stat(place) : await lstat(place)
      if (kind.isSymbolicLink()) {
        const target = await realpath(place)
        if (root !== undefined && target !== root && !target.startsWith(root + path.sep))
          return problem(shown, 'it is a link that leads out of the folder and was not followed')
        // A folder inside the root is walked under its own name already.
        if ((await stat(target)).isFile()) await read(place, shown)
      } else if (kind.isDirectory()) {
        if (depth > deepest) return problem(shown, `it lies deeper than ${deepest} folders and was not read`)
        const home = root ?? (await realpath(place))
        const names = await readdir(place)
        for (const name of names.sort()) if (!isPassedOver(name)) await visit(path.join(place, name), home, depth + 1)
      } else if (kind.isFile()) await read(place, shown)
      else problem(shown, 'it is neither a file nor a folder and was not read')
    } catch (error) {
      if (!signal?.aborted) problem(shown, reasonOf(error))
    }
  }

  for (const one of paths) await visit(one, undefined, 0)
  if (signal?.aborted)
    problems.push({ file: paths[0] ?? '', message: 'reading was stopped before all files were read' })
  return { files, binary, problems }
}
