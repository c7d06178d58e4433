/** The manifest with which krew installs the plugin, out of the archives of a release. */
import { spawnSync } from 'node:child_process'
import { createHash } from 'node:crypto'
import { existsSync, readFileSync } from 'node:fs'
import path from 'node:path'
import { stringify } from 'yaml'

type Target = { readonly os: 'linux' | 'darwin' | 'windows'; readonly arch: 'amd64' | 'arm64' }

/** Where an executable can be built: wherever package.json brings a Node. */
export const targets: readonly Target[] = [
  { os: 'linux', arch: 'amd64' },
  { os: 'linux', arch: 'arm64' },
  { os: 'darwin', arch: 'amd64' },
  { os: 'darwin', arch: 'arm64' },
  { os: 'windows', arch: 'amd64' },
]

/** Node's words for a machine → those of Go, which krew and archives are named by. */
export const targetOf = (platform: string, arch: string): Target | undefined =>
  targets.find(
    (one) => one.os === (platform === 'win32' ? 'windows' : platform) && one.arch === (arch === 'x64' ? 'amd64' : arch),
  )

export const archiveName = (version: string, { os, arch }: Target): string =>
  `kubectl-wi_v${version}_${os}_${arch}.tar.gz`

/** What is in an archive. Krew unpacks regular files and folders alone: a link in it would be refused. */
export const filesOf = (os: string): readonly [bin: string, ...rest: string[]] =>
  os === 'windows'
    ? ['kubectl-wi.exe', 'kubectl_complete-wi.cmd', 'LICENSE', 'THIRD-PARTY-NOTICES']
    : ['kubectl-wi', 'kubectl_complete-wi', 'LICENSE', 'THIRD-PARTY-NOTICES']

/** Packs what stands in `built` into the archive `file`. Throws what tar says. */
export function pack(built: string, file: string, os: string): void {
  const { status, stderr } = spawnSync('tar', ['-czf', file, '-C', built, ...filesOf(os)], { encoding: 'utf8' })
  if (status !== 0) throw new Error(`tar: ${stderr.trim()}`)
}

const description = `Examines ServiceAccounts, their pods, the cluster's token issuer and the trust that
AWS, Google Cloud or Azure has in it, names the one root cause with its evidence,
and says what puts it right. Plans the change, carries it out on request, and takes
it back. Nothing is changed without --apply.
`
// Krew links the plugin itself and nothing else: https://github.com/kubernetes-sigs/krew/issues/812
const caveats = `Try: kubectl wi doctor -A
For completion, once (bash, zsh, fish):
  ln -s "\${KREW_ROOT:-$HOME/.krew}/store/wi/VERSION/kubectl_complete-wi" "\${KREW_ROOT:-$HOME/.krew}/bin/"
The executable for Linux needs glibc and libstdc++.
`

type Release = {
  readonly version: string
  /** The folder with the archives of this release. */
  readonly folder: string
  /** Where they can be downloaded, without the file's name. */
  readonly from: string
  readonly homepage?: string | undefined
}

/** The manifest as YAML, for the platforms whose archive is there, and the names of those that are missing. */
export function krewManifest({ version, folder, from, homepage }: Release) {
  const platforms = targets.flatMap((target) => {
    const name = archiveName(version, target)
    const file = path.join(folder, name)
    if (!existsSync(file)) return []
    const files = filesOf(target.os)
    return {
      selector: { matchLabels: target },
      uri: `${from.replace(/\/$/, '')}/${name}`,
      sha256: createHash('sha256').update(readFileSync(file)).digest('hex'),
      files: files.map((one) => ({ from: one, to: '.' })),
      bin: files[0],
    }
  })
  const manifest = {
    apiVersion: 'krew.googlecontainertools.github.com/v1alpha2',
    kind: 'Plugin',
    metadata: { name: 'wi' },
    spec: {
      version: `v${version}`,
      ...(homepage === undefined ? {} : { homepage }),
      shortDescription: 'Find out why a cloud workload identity fails',
      description,
      caveats: caveats.replace('VERSION', `v${version}`),
      platforms,
    },
  }
  const missing = targets
    .map((target) => archiveName(version, target))
    .filter((name) => !existsSync(path.join(folder, name)))
  return { text: stringify(manifest, { lineWidth: 0 }), missing, complete: platforms.length }
}
