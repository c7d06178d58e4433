/** The part of the probe that looks at mounting: what the shell is asked, and how its lines are read. */
import {
  type DeviceState,
  type FuseSeen,
  helperCommands,
  type MountState,
  mounterCommands,
  mountsIn,
  profileIn,
  type SeenMount,
  statusIn,
} from './fuse-limits.ts'
import { codeOfWords } from './mount-words.ts'

const seconds = 3

/**
 * `/dev/fuse` is really opened, by a redirection. Each mount is asked in the background: a call into one that hangs never comes back, and
 * without `sleep` nobody can tell that from one that is slow.
 */
export const mountingProbe = [
  'if [ -e /dev/fuse ]; then e=$( (exec 3<>/dev/fuse) 2>&1 ) && p "fuse open" || p "fuse $e"; else p "fuse missing"; fi',
  'while IFS= read -r l; do case "$l" in Uid:*|CapEff:*|CapBnd:*|NoNewPrivs:*|Seccomp:*) p "status $l" ;; esac; done < /proc/self/status 2>/dev/null',
  'a=""; for s in apparmor/current current; do [ -n "$a" ] || { IFS= read -r a < "/proc/self/attr/$s"; } 2>/dev/null; done; [ -z "$a" ] || p "apparmor $a"',
  'k=no; while read -r l; do case "$l" in *fuse) k=yes ;; esac; done < /proc/filesystems 2>/dev/null && p "module $k"',
  `for c in ${helperCommands.join(' ')}; do w=$(command -v $c 2>/dev/null) && { [ -u "$w" ] && p "helper $c setuid" || p "helper $c plain"; }; done`,
  `for c in ${mounterCommands.join(' ')}; do command -v $c >/dev/null 2>&1 && p "mounter $c"; done`,
  'o=no; [ -r /etc/fuse.conf ] && while read -r l; do case "$l" in user_allow_other*) o=yes ;; esac; done < /etc/fuse.conf; p "allowother $o"',
  'for c in /sys/fs/cgroup/memory.max /sys/fs/cgroup/memory/memory.limit_in_bytes; do [ -r "$c" ] && read -r l < "$c" && p "memory $l"; done',
  `h() { ( e=$(LC_ALL=C ls -d "$(printf '%b' "$2")" 2>&1 >/dev/null) && p "alive $1" || p "dead $1 $e" ) & w=$!; sleep 0 2>/dev/null || { wait $w; return; };` +
    ` n=0; while kill -0 $w 2>/dev/null && [ $n -lt ${seconds * 10} ]; do sleep 0.1 2>/dev/null || { sleep 1; n=$((n+9)); }; n=$((n+1)); done;` +
    ` if kill -0 $w 2>/dev/null; then kill -9 $w 2>/dev/null; p "hung $1"; fi; }`,
  'm=0; while IFS= read -r l; do case "$l" in *" - fuse "*|*" - fuse."*|*" - nfs"*|*" - cifs "*) p "mountinfo $l"; set -f; set -- $l; [ $m -ge 20 ] || h $m "$5"; m=$((m+1)) ;; esac; done < /proc/self/mountinfo 2>/dev/null',
]

const refusals: readonly (readonly [words: RegExp, state: DeviceState])[] = [
  [/ot permitted/, 'EPERM'],
  [/ermission denied/, 'EACCES'],
  [/No such device or address/, 'ENXIO'],
  [/No such device/, 'ENODEV'],
  [/No such file|nonexistent/, 'missing'],
]

/** Of the mount with this number, as the shell counts them. */
function stateOf(index: number, said: readonly (readonly [word: string, rest: string])[]): MountState {
  for (const [word, rest] of said) {
    const [number, ...more] = rest.split(' ')
    if (number !== String(index)) continue
    if (word === 'alive') return { state: 'alive' }
    if (word === 'hung') return { state: 'hung', seconds }
    if (word !== 'dead') continue
    const words = more.join(' ')
    if (/not found/.test(words)) return { state: 'unseen', detail: 'the container has no ls to look with' }
    // A mount is there; only its name was not understood.
    if (/No such file/.test(words)) return { state: 'unseen', detail: 'the shell did not find it by its name' }
    return { state: 'dead', code: codeOfWords(words) }
  }
  return { state: 'unseen', detail: 'the shell did not come to it' }
}

/** Reads what `mountingProbe` has printed. */
export function readMounting(lines: readonly string[]): FuseSeen {
  const said = lines.flatMap((line): readonly (readonly [string, string])[] => {
    const cut = line.indexOf(' ')
    return cut < 0 ? [] : [[line.slice(0, cut), line.slice(cut + 1)]]
  })
  const of = (word: string): readonly string[] => said.flatMap(([name, rest]) => (name === word ? [rest] : []))
  const [device = ''] = of('fuse')
  const [module] = of('module')
  const [allowOther] = of('allowother')
  const memory = of('memory').find((one) => /^\d{1,15}$/.test(one))
  const appArmor = profileIn(of('apparmor')[0] ?? '')
  return {
    device:
      device === 'open' || device === 'missing'
        ? device
        : (refusals.find(([words]) => words.test(device))?.[1] ?? 'unseen'),
    ...(module === undefined ? {} : { module: module === 'yes' }),
    ...statusIn(of('status').join('\n')),
    ...(appArmor === undefined ? {} : { appArmor }),
    helpers: of('helper').map((one) => {
      const [name = '', bit] = one.split(' ')
      return { name, setuid: bit === 'setuid' }
    }),
    mounters: of('mounter'),
    ...(allowOther === undefined ? {} : { allowOther: allowOther === 'yes' }),
    ...(memory === undefined ? {} : { memory: Number(memory) }),
    mounts: of('mountinfo').flatMap((line, index) =>
      mountsIn(line).map((one): SeenMount => ({ ...one, seen: stateOf(index, said) })),
    ),
  }
}
