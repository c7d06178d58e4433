/** `bind sa`: an intent turned into the actions of a plan, which then goes the way of every plan. */
import { examine } from '../core/engine.ts'
import type { Source } from '../core/fact.ts'
import { textAt } from '../core/json.ts'
import type { Action } from '../core/plan.ts'
import { exitCodes } from '../core/report.ts'
import { clusterSubject, type Subject } from '../core/subject.ts'
import { kubernetes } from '../domain/questions.ts'
import type { BindFlags, Intent } from './bind-brief.ts'
import { type FixFlags, planAndAct } from './fix.ts'
import { tell } from './tell.ts'
import { usage } from './trouble.ts'
import { openWorld } from './world.ts'

/** One row for each cloud: the flag that asks for it, and what it leads to. */
const intents: readonly { readonly flag: keyof BindFlags; readonly open: () => Promise<Intent> }[] = [
  { flag: 'aws-role', open: async () => (await import('./bind-aws.ts')).bindAws },
  { flag: 'azure-identity', open: async () => (await import('./bind-azure.ts')).bindAzure },
  { flag: 'azure-app', open: async () => (await import('./bind-azure.ts')).bindAzure },
  { flag: 'gcp-service-account', open: async () => (await import('./bind-gcp.ts')).bindGoogleAccount },
  { flag: 'gcp-direct', open: async () => (await import('./bind-gcp.ts')).bindGoogleDirect },
  { flag: 'gcp-provider', open: async () => (await import('./bind-gcp.ts')).bindGoogleProvider },
]

/** Pods that are made anew with --restart. */
const aboutPods: ReadonlySet<string> = new Set([
  'aws/pod-is-injected',
  'azure/pod-environment-agrees',
  'azure/pod-injected',
  'azure/pod-labelled',
  'gcp/annotation-agrees-with-grants',
  'workload/pod-is-newer-than-its-binding',
])

const isName = (text: string): boolean => /^[a-z0-9]([a-z0-9.-]{0,251}[a-z0-9])?$/.test(text)

/** Prints the plan, acts on it where that is asked for, and returns the exit code. Throws usage errors. */
export async function bindServiceAccount(
  name: string,
  flags: BindFlags,
  setting: { readonly version: string; readonly process: NodeJS.Process },
): Promise<number> {
  if (!isName(name)) throw usage(`${name}: one ServiceAccount is bound at a time, by its exact name`)
  const chosen = intents.filter(({ flag }) => flags[flag] !== undefined && flags[flag] !== false)
  const [only, ...others] = chosen
  if (only === undefined || others.length > 0)
    throw usage(`say which identity it shall have: one of ${intents.map(({ flag }) => `--${flag}`).join(', ')}`)
  const intent = await only.open()
  const say = (sentence: string): void => {
    tell(setting.process.stderr, sentence)
  }
  const actionsOver = async (source: Source, told: (sentence: string) => void): Promise<readonly Action[]> => {
    const namespace = flags.namespace ?? (await namespaceOf(source))
    const { fact } = await examine({ checks: [], subjects: [{ kind: 'ServiceAccount', namespace, name }], source })
    return intent({
      namespace,
      name,
      flags,
      say: told,
      ask: async (question) => source.ask(question),
      ofCluster: async (probe) => fact(probe, clusterSubject satisfies Subject),
    })
  }
  const asFix: FixFlags = { ...flags, only: undefined, selector: undefined, 'all-namespaces': false, overlay: false }
  let intended = 0
  const code = await planAndAct([`sa/${name}`], asFix, setting, {
    wanted: ({ check }) => flags.restart && aboutPods.has(check),
    next: 'kubectl wi fix',
    intended: async (source) => {
      const actions = await actionsOver(source, say)
      intended = actions.length
      return actions
    },
  })
  if (!flags.apply || flags['dry-run'] !== undefined || intended === 0 || code === exitCodes.unhealthy) return code
  // Healthy it may be by what somebody else has made of it meanwhile.
  const stop = new AbortController()
  const ends = { stop: stop.signal, late: AbortSignal.timeout(flags.timeout) }
  const world = await openWorld(asFix, { version: setting.version, ends })
  try {
    const left = await actionsOver(world.source, () => {})
    if (left.length === 0) return code
    say(`it is not as it was asked for; left to do: ${left.map(({ summary }) => summary).join('; ')}`)
    return exitCodes.unhealthy
  } finally {
    world.close()
  }
}

async function namespaceOf(source: Source): Promise<string> {
  const context = await source.ask(kubernetes.currentContext())
  return (context.state === 'known' ? textAt(context.value, 'namespace') : undefined) ?? 'default'
}
