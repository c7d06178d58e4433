/** Asks a person before an action that changes trust, permission or a running workload. */
import { answerTyped, type Touch } from '../core/consent.ts'
import type { PlannedAction } from '../core/plan.ts'
import { touchesProduction } from '../domain/production.ts'
import { paintOf } from '../report/paint.ts'
import { asText, diffOf, ownerWarning, paintedDiff } from '../report/plan-diff.ts'
import { clean } from '../report/text.ts'
import { redraws } from './view.ts'

export type Consent = {
  readonly ask: (action: PlannedAction) => Promise<boolean>
  /** Ends a question that is being asked. */
  readonly close: () => void
}

type Streams = {
  readonly stdin: NodeJS.ReadStream
  readonly stderr: NodeJS.WriteStream
  readonly env: NodeJS.ProcessEnv
}

type Manner = {
  /** Consent was given for all of them. */
  readonly yes: boolean
  /** What is asked about does not stand right above the question: it is one of several, or the plan went elsewhere. */
  readonly apart: boolean
  readonly color: boolean
  /** The kubeconfig's context that is written to. */
  readonly context: string
}

/** The terminal is in the question's hands: Ctrl-C comes as a key, not as a signal. Whoever hears the signal closes the question. */
const stopRun = (): void => {
  process.kill(process.pid, 'SIGINT')
}

const shown = ({ name, why }: Touch): Touch => ({ name: clean(name), why: clean(why) })

/**
 * `y` and `yes` are a yes, all else is a no; so is silence where nobody can be asked. Where an action touches production, its object's
 * name is the only yes, even after a yes to all.
 */
export function consentOf({ stdin, stderr, env }: Streams, { yes, apart, color, context }: Manner): Consent {
  let stop = (): void => {}
  let [toAll, closed] = [false, false]

  const byKey = async (action: PlannedAction, touch: Touch | undefined): Promise<boolean> => {
    const { ask } = await import('../ui/question.tsx')
    if (closed) return false
    const paint = paintOf(color)
    const owner = action.owner === undefined ? [] : [paint.careful(clean(ownerWarning(action.owner)))]
    const lines = [paint.strong(clean(action.summary)), ...owner, ...paintedDiff(action, paint)]
    const { answer, end } = ask({ lines, touch }, { stdin, stderr }, stopRun)
    stop = end
    const given = await answer
    toAll ||= given === 'all'
    return given === 'yes' || given === 'all'
  }

  const byLine = async (action: PlannedAction, touch: Touch | undefined): Promise<boolean> => {
    const { createInterface } = await import('node:readline')
    if (closed) return false
    if (apart) stderr.write(`\n${asText(diffOf(action))}`)
    const warned = action.owner === undefined ? '' : ` (${action.owner.tool} would put the old value back)`
    const question = clean(`${action.summary}${warned}?`)
    const reader = createInterface({ input: stdin, output: stderr })
    try {
      return await new Promise<boolean>((resolve) => {
        stop = () => resolve(false)
        reader.once('close', stop)
        reader.once('SIGINT', stopRun)
        const wanted = touch === undefined ? '[y/N]' : `${touch.why}: type ${touch.name} to do it, n to leave it out:`
        reader.on('line', (line) => {
          if (touch === undefined) return resolve(/^y(es)?$/i.test(line.trim()))
          const answer = answerTyped(line, touch.name)
          if (answer === 'stop') stopRun()
          else if (answer === undefined) reader.prompt()
          else resolve(answer === 'yes')
        })
        reader.setPrompt(`${question} ${wanted} `)
        reader.prompt()
      })
    } finally {
      reader.close()
    }
  }

  return {
    ask: async (action) => {
      if (yes) return true
      if (stdin.isTTY !== true) return false
      const found = touchesProduction(action.change, context)
      const touch = found === undefined ? undefined : shown(found)
      if (toAll && touch === undefined) return true
      return redraws(stderr, env) ? byKey(action, touch) : byLine(action, touch)
    },
    close: () => {
      closed = true
      stop()
    },
  }
}
