/** Asks a person before an action that changes trust, permission or a running workload. */
import type { PlannedAction } from '../core/plan.ts'
import { asText, diffOf } from '../report/plan-diff.ts'
import { clean } from '../report/text.ts'

export type Consent = {
  readonly ask: (action: PlannedAction) => Promise<boolean>
  /** Ends a question that is being asked. */
  readonly close: () => void
}

type Streams = {
  readonly stdin: NodeJS.ReadStream
  readonly stderr: NodeJS.WriteStream
}

type Manner = {
  /** Consent was given for all of them. */
  readonly yes: boolean
  /** What is asked about does not stand right above the question: it is one of several, or the plan went elsewhere. */
  readonly apart: boolean
}

/** `y` and `yes` are a yes, all else is a no; so is silence where nobody can be asked. */
export function consentOf({ stdin, stderr }: Streams, { yes, apart }: Manner): Consent {
  let stop = (): void => {}
  return {
    ask: async (action) => {
      const { summary, owner } = action
      if (yes) return true
      if (stdin.isTTY !== true) return false
      const { createInterface } = await import('node:readline')
      if (apart) stderr.write(`\n${asText(diffOf(action))}`)
      const reader = createInterface({ input: stdin, output: stderr })
      try {
        const answer = await new Promise<string>((resolve) => {
          stop = () => resolve('')
          reader.once('close', stop)
          // The terminal is in the reader's hands while it asks: Ctrl-C comes as a key, not as a signal. Whoever hears the signal closes this.
          reader.once('SIGINT', () => process.kill(process.pid, 'SIGINT'))
          const warned = owner === undefined ? '' : ` (${owner.tool} would put the old value back)`
          reader.question(`${clean(`${summary}${warned}`)}? [y/N] `, resolve)
        })
        return /^y(es)?$/i.test(answer.trim())
      } finally {
        reader.close()
      }
    },
    close: () => stop(),
  }
}
