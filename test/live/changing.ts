/** What the tests of fix and of bind share: the lane's cluster and cloud with a provider for its issuer, and a journal of their own. */
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { GetRoleCommand } from '@aws-sdk/client-iam'
import { afterAll, beforeAll } from 'vitest'
import { type Cloud, cloudOf, defaultAudience } from './cloud.ts'
import { type Cluster, clusterOf } from './cluster.ts'
import { type Ended, runEntry } from './doctor.ts'
import { lane } from './running.ts'

export type Changing = {
  readonly issuer: string
  readonly cluster: Cluster
  readonly cloud: Cloud
  readonly run: (args: readonly string[]) => Promise<Ended>
  /** As IAM keeps it, encoded. */
  readonly trustOf: (role: string) => Promise<string>
}

/** To be called in a `describe`: what it returns is there once a test runs. */
export function changing(): () => Changing {
  const issuer = lane.cluster?.issuer ?? ''
  let held: (Changing & { readonly state: string }) | undefined
  beforeAll(async () => {
    const [cluster, cloud] = [clusterOf(lane), cloudOf(lane)]
    const state = mkdtempSync(join(tmpdir(), 'kubectl-wi-live-state-'))
    const run = (args: readonly string[]) => runEntry(lane, args, { XDG_STATE_HOME: state, NO_COLOR: '1' })
    const trustOf = async (RoleName: string) =>
      (await cloud.iam.send(new GetRoleCommand({ RoleName }))).Role?.AssumeRolePolicyDocument ?? ''
    held = { issuer, cluster, cloud, state, run, trustOf }
    const prints = lane.cluster?.keys.map(({ thumbprint }) => thumbprint) ?? []
    await cloud.registerProvider(issuer, [defaultAudience], prints)
  })
  afterAll(async () => {
    if (held === undefined) return
    rmSync(held.state, { recursive: true, force: true })
    await held.cloud.removeProvider(issuer)
    held.cloud.close()
    await held.cluster.clear()
  })
  return () => {
    if (held === undefined) throw new Error('the lane is not up yet')
    return held
  }
}
