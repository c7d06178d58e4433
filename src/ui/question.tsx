/** The question before an action, on a terminal: what it changes, and below it one key, or the name of what it touches. */
import { Box, type Key, render, Static, Text, useInput } from 'ink'
import { useEffect, useReducer } from 'react'
import { type Answer, answerTyped, type Touch } from '../core/consent.ts'

export type Question = {
  /** What is asked about, clean of control characters and painted; it stays on the terminal. */
  readonly lines: readonly string[]
  /** Where a key is not enough. */
  readonly touch: Touch | undefined
}
type Streams = { readonly stdin: NodeJS.ReadStream; readonly stderr: NodeJS.WriteStream }
type State = { readonly typed: string; readonly hint: string; readonly answer?: Answer }
type Press = {
  readonly input: string
  readonly key: Pick<Key, 'ctrl' | 'meta' | 'escape' | 'backspace' | 'delete' | 'return'>
}

const keys: { readonly [key: string]: Answer } = { y: 'yes', n: 'no', a: 'all', q: 'stop' }
const said = { yes: 'yes', no: 'no', all: 'yes, and so to the remaining ones', stop: 'stopping' } as const

/** The line so far with what came; each line break in it ends a line. A paste comes whole. */
function lineTyped(state: State, text: string, name: string): State {
  const [line = '', ...more] = (state.typed + text).split(/\r\n|\r|\n/)
  if (more.length === 0) return { ...state, typed: line }
  const answer = answerTyped(line, name)
  if (answer !== undefined) return { ...state, typed: line, answer }
  return lineTyped({ typed: '', hint: `${line.trim()} is not ${name}` }, more.join('\n'), name)
}

const pressed =
  (name: string | undefined) =>
  (state: State, { input, key }: Press): State => {
    if (state.answer !== undefined) return state
    if (key.ctrl && input === 'c') return { ...state, answer: 'stop' }
    if (key.escape || (key.ctrl && input === 'd')) return { ...state, answer: 'no' }
    if (key.ctrl || key.meta) return state
    if (name === undefined) {
      const answer = keys[input.trim().toLowerCase()]
      return answer === undefined ? { ...state, hint: 'y, n, a or q' } : { ...state, answer }
    }
    if (key.backspace || key.delete) return { ...state, typed: state.typed.slice(0, -1) }
    return lineTyped(state, key.return ? '\n' : input, name)
  }

function Asking({ lines, touch, answered }: Question & { readonly answered: (answer: Answer) => void }) {
  const [{ typed, hint, answer }, press] = useReducer(pressed(touch?.name), { typed: '', hint: '' })
  useInput((input, key) => press({ input, key }))
  useEffect(() => {
    if (answer !== undefined) answered(answer)
  }, [answer, answered])
  const tail = answer === undefined ? '▏' : answer === 'yes' ? '' : ` ${said[answer]}`
  return (
    <>
      <Static items={[lines]}>{(all) => <Text key="lines">{`\n${all.join('\n')}`}</Text>}</Static>
      <Box flexDirection="column">
        {touch === undefined ? null : (
          <Text wrap="wrap">{`This touches production: ${touch.why}. Type ${touch.name} and Enter to do it, n and Enter to leave it out, q and Enter to stop.`}</Text>
        )}
        {hint === '' || answer !== undefined ? null : <Text>{hint}</Text>}
        {touch === undefined ? (
          <Text>{`y yes · n no · a all of the remaining · q stop ›${answer === undefined ? ' ' : ` ${said[answer]}`}`}</Text>
        ) : (
          <Text>{`› ${typed}${tail}`}</Text>
        )}
      </Box>
    </>
  )
}

export type Asked = { readonly answer: Promise<Answer>; readonly end: () => void }

/**
 * Asks on this terminal until there is an answer, or until `end`, which is a no. A `stop` is told to `stopped` at once and leaves the
 * question open, until whoever ends the run ends it too.
 */
export function ask(question: Question, { stdin, stderr }: Streams, stopped: () => void): Asked {
  const { promise, resolve } = Promise.withResolvers<Answer>()
  const end = (): void => resolve('no')
  const answered = (answer: Answer): void => (answer === 'stop' ? stopped() : resolve(answer))
  stdin.once('end', end)
  const app = render(<Asking {...question} answered={answered} />, {
    stdin,
    stdout: stderr,
    stderr,
    exitOnCtrlC: false,
    patchConsole: false,
    interactive: true,
  })
  const closed = async (): Promise<Answer> => {
    const answer = await promise
    stdin.off('end', end)
    app.unmount()
    await app.waitUntilExit()
    return answer
  }
  return { answer: closed(), end }
}
