/** Krew's manifest, held against what krew itself checks, and the archives that it leads to. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import { afterAll, expect, it } from 'vitest'
import { parse } from 'yaml'
import { z } from 'zod'
import { archiveName, filesOf, krewManifest, pack, targetOf, targets } from '../scripts/krew.ts'
import { folder } from './live-doubles.ts'
import { root } from './running.ts'

const place = folder()
afterAll(() => place.remove())

const text = z.string().min(1)
const labels = z.strictObject({ os: z.enum(['linux', 'darwin', 'windows']), arch: z.enum(['amd64', 'arm64']) })
/** https://github.com/kubernetes-sigs/krew/blob/master/internal/index/validation/validate.go, and what its index asks beyond that. */
const krewPlugin = z.strictObject({
  apiVersion: z.literal('krew.googlecontainertools.github.com/v1alpha2'),
  kind: z.literal('Plugin'),
  metadata: z.strictObject({ name: z.string().regex(/^[\w-]+$/u) }),
  spec: z.strictObject({
    version: z.string().regex(/^v\d+\.\d+\.\d+(?:-[0-9A-Za-z.-]+)?$/u),
    homepage: z.url(),
    shortDescription: z
      .string()
      .max(50)
      .regex(/^[^\r\n]+[^.\s]$/u),
    description: text,
    caveats: text,
    platforms: z
      .array(
        z.strictObject({
          selector: z.strictObject({ matchLabels: labels }),
          uri: z.string().regex(/^https:\/\/\S+\.(?:zip|tar\.gz)$/u),
          sha256: z.string().regex(/^[a-f0-9]{64}$/u),
          files: z.array(z.strictObject({ from: text, to: text })).min(1),
          bin: text,
        }),
      )
      .min(1),
  }),
})

const version = '1.2.3'
const from = 'https://downloads.example.com/v1.2.3/'

it('is one that krew accepts, for every platform that an executable is built on', () => {
  const bundled = Object.keys(JSON.parse(readFileSync(path.join(root, 'package.json'), 'utf8')).optionalDependencies)
  const nodes = bundled.map((name) => /^node-(?:bin-)?(\w+)-(\w+)$/u.exec(name) ?? [])
  expect(nodes.map(([, os = '', arch = '']) => targetOf(os === 'win' ? 'win32' : os, arch))).toEqual(
    expect.arrayContaining([...targets]),
  )
  for (const target of targets) place.file(archiveName(version, target), `${target.os} ${target.arch}`)
  const release = { version, from, homepage: 'https://example.com/wi', folder: path.dirname(place.file('other', '')) }
  const made = krewManifest(release)
  expect(made.missing).toEqual([])
  const { metadata, spec } = krewPlugin.parse(parse(made.text))
  expect([metadata.name, spec.version, spec.platforms.length]).toEqual(['wi', 'v1.2.3', targets.length])
  const [first] = spec.platforms
  expect(first?.uri).toBe('https://downloads.example.com/v1.2.3/kubectl-wi_v1.2.3_linux_amd64.tar.gz')
  expect(first?.sha256).toBe(createHash('sha256').update('linux amd64').digest('hex'))
  expect(spec.caveats).toContain('/store/wi/v1.2.3/kubectl_complete-wi')
  for (const { bin, files } of spec.platforms) expect(files.map((one) => one.from)).toContain(bin)
})

it('names the platforms whose archive is missing, and leaves them out', () => {
  const empty = path.join(path.dirname(place.file('other', '')), 'none')
  expect(krewManifest({ version, from, folder: empty }).missing).toHaveLength(targets.length)
  expect(() => krewPlugin.parse(parse(krewManifest({ version, from, folder: empty }).text))).toThrow()
})

it('packs regular files alone, as krew unpacks no others', () => {
  const built = path.join(path.dirname(place.file('other', '')), 'dist-executable')
  mkdirSync(built)
  for (const name of filesOf('linux')) writeFileSync(path.join(built, name), name)
  const archive = path.join(path.dirname(built), 'one.tar.gz')
  pack(built, archive, 'linux')
  const { stdout } = spawnSync('tar', ['-tvzf', archive], { encoding: 'utf8' })
  expect(
    stdout
      .trim()
      .split('\n')
      .map((line) => line[0]),
  ).toEqual(filesOf('linux').map(() => '-'))
})
