/** Packs this platform's executable (`archive`), and writes krew's manifest for all archives that are there (`krew FROM-URL [HOMEPAGE]`). */
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { archiveName, krewManifest, pack, targetOf } from './krew.ts'

const root = path.dirname(import.meta.dirname)
const folder = path.join(root, 'release')
const { version }: { version: string } = JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8'))
const [what, from, homepage] = process.argv.slice(2)

function archive(): void {
  const target = targetOf(process.platform, process.arch)
  if (target === undefined) throw new Error(`no executable is built for ${process.platform} ${process.arch}`)
  const file = path.join(folder, archiveName(version, target))
  pack(path.join(root, 'dist-executable'), file, target.os)
  console.log(`wrote ${path.relative(root, file)}`)
}

function krew(url: string): void {
  const { text, missing, complete } = krewManifest({ version, folder, from: url, homepage })
  if (complete === 0) throw new Error('there is no archive in release/; npm run release archive packs one')
  for (const name of missing) console.error(`not in the manifest, for it is not there: release/${name}`)
  writeFileSync(path.join(folder, 'wi.yaml'), text)
  console.log('wrote release/wi.yaml')
}

mkdirSync(folder, { recursive: true })
try {
  if (what === 'archive') archive()
  else if (what === 'krew' && from?.startsWith('https://')) krew(from)
  else throw new Error('npm run release archive, or npm run release krew https://WHERE-THE-ARCHIVES-ARE [HOMEPAGE]')
} catch (error) {
  console.error(error instanceof Error ? error.message : error)
  process.exitCode = 2
}
