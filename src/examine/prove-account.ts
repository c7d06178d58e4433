/** The proof of a ServiceAccount's identity from outside its pods, for each cloud that it is bound to: a token minted for it, exchanged as its pods would. */
import type { Outcome, Proof } from '../core/proof.ts'
import { azureClientAnnotation, googleAnnotation, roleAnnotation } from '../domain/audiences.ts'
import { podsOfServiceAccount } from '../probes/workload/pods.ts'
import { serviceAccount } from '../probes/workload/service-account.ts'
import { type Learned, type Learner, learnerOf, type Who } from './learn.ts'
import { learnGoogle } from './learn-google.ts'
import { nobody } from './prove-minted.ts'
import { learnAws } from './prove-minted-aws.ts'
import { learnAzure } from './prove-minted-azure.ts'
import { prove, type Run, unseen } from './proving.ts'
import type { Opened } from './world.ts'

const title = 'The identity that the ServiceAccount names'

/** The proof of what is learnt, in steps of its own; undefined where there is nothing to prove. */
export async function proveLearned(
  stop: AbortSignal,
  cloud: string,
  learn: () => Promise<Learned | undefined> | Learned | undefined,
  heading = title,
): Promise<Proof | undefined> {
  const run: Run = { stop, steps: [] }
  let learned: Learned | undefined
  const found = await prove(run, 'identity', heading, async (): Promise<Outcome> => {
    learned = await learn()
    return learned?.outcome ?? { status: 'unknown', says: 'nothing is meant for this cloud' }
  })
  if (learned === undefined) return undefined
  if (found.status === 'pass') await learned.go?.(run)
  const { mechanism, expected } = learned
  return { cloud, mechanism, ...(expected === undefined ? {} : { expected }), steps: run.steps }
}

/** `--sa NAME`. */
export async function proveAccount(run: Run, live: Opened, name: string): Promise<readonly Proof[]> {
  const { stop } = run
  const who: Who = { namespace: live.namespace ?? 'default', name }
  const none = async (outcome: Outcome): Promise<readonly Proof[]> => {
    await prove(run, 'identity', title, () => outcome)
    return [{ cloud: 'kubernetes', mechanism: 'none', steps: run.steps }]
  }
  const ask = learnerOf(live.source, who, stop)
  const account = await ask(serviceAccount)
  if (account.state === 'absent') return none(nobody(who))
  if (account.state === 'unknown') return none(unseen(account))
  const proofs: Proof[] = []
  const add = (proof: Proof | undefined): void => {
    if (proof !== undefined) proofs.push(proof)
  }
  add(await proveLearned(stop, 'aws', () => learnAws(live, who, account.value.annotations)))
  add(await proveLearned(stop, 'azure', () => learnAzure(live, ask)))
  add(await proveLearned(stop, 'gcp', () => learnGoogle(live, who, ask, proofs.length === 0)))
  return proofs.length > 0 ? proofs : none(await unbound(ask))
}

async function unbound(ask: Learner): Promise<Outcome> {
  const pods = await ask(podsOfServiceAccount)
  const unlisted = pods.state === 'unknown' ? `; its pods were not seen: ${pods.detail}` : ''
  return {
    status: 'unknown',
    says: `it has no annotation ${roleAnnotation}, ${azureClientAnnotation} or ${googleAnnotation}, and no pod of its that was seen names another identity, so there is nobody to exchange a token for from here${unlisted}`,
    lift: 'an identity that its pods get otherwise (EKS Pod Identity, a variable of their own): kubectl wi exchange-test --pod NAME, or inside the pod',
  }
}
