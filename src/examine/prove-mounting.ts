/** The limits of a container for mounting, as steps of a proof: the device, the mount, and what is mounted already. */
import { mounting, type Proof } from '../core/proof.ts'
import type { FuseSeen } from '../domain/fuse-limits.ts'
import { judgeDevice, judgeMounting, judgeMounts, mountsItself } from '../domain/fuse-verdict.ts'
import { prove, type Run } from './proving.ts'

/** `wished`: somebody wants to mount here, whatever the image shows. */
export async function proveMounting(
  stop: AbortSignal,
  look: () => FuseSeen | Promise<FuseSeen>,
  wished: boolean,
): Promise<Proof> {
  const run: Run = { stop, steps: [] }
  const begun = performance.now()
  const seen = await look()
  const milliseconds = Math.round(performance.now() - begun)
  const needed = wished || mountsItself(seen)
  const device = await prove(run, 'fuse-device', 'The FUSE device', () => judgeDevice(seen, needed))
  if (needed) await prove(run, 'fuse-mount', 'Mounting by FUSE', () => judgeMounting(seen), device)
  const mounts = judgeMounts(seen.mounts)
  if (mounts !== undefined) await prove(run, 'mounts', 'What is mounted', () => mounts)
  // Nothing takes time but to look, and of that most a mount that does not answer.
  const [last] = run.steps.splice(-1)
  if (last !== undefined) run.steps.push({ ...last, milliseconds: last.milliseconds + milliseconds })
  return { cloud: 'pod', mechanism: mounting, steps: run.steps }
}
