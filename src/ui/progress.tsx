/** The live view: sections fill as facts arrive, what is slow is named; when it ends, nothing of it is left. */
import { Box, render, Text } from 'ink'
import { useEffect, useState } from 'react'
import type { Snapshot, View } from '../core/progress.ts'

const framesPerSecond = 8
const slow = 1000

type Props = { readonly snapshot: () => Snapshot; readonly width: number }

const bar = (done: number, total: number): string => {
  const cells = 10
  const full = total === 0 ? cells : Math.floor((done / total) * cells)
  return `${'━'.repeat(full)}${'·'.repeat(cells - full)}`
}

function Progress({ snapshot, width }: Props) {
  const [now, tick] = useState(() => performance.now())
  useEffect(() => {
    const timer = setInterval(() => tick(performance.now()), 1000 / framesPerSecond)
    return () => clearInterval(timer)
  }, [])
  const { phase, sections, waiting } = snapshot()
  const oldest = waiting[0]
  const names = Math.max(0, ...sections.map(({ name }) => name.length))
  return (
    <Box flexDirection="column" width={width}>
      {sections.map(({ name, judged, total, failed, unseen }) => (
        <Text key={name} wrap="truncate">
          {` ${failed > 0 ? '✗' : unseen > 0 ? '?' : judged === total ? '✓' : '…'} ${name.padEnd(names)}  ${bar(judged, total)}  ${judged} of ${total}`}
          {failed > 0 ? `, ${failed} failed` : ''}
          {unseen > 0 ? `, ${unseen} not seen` : ''}
        </Text>
      ))}
      <Text dimColor wrap="truncate">
        {oldest === undefined || now - oldest.since < slow
          ? phase
          : `waiting for ${oldest.about}, ${Math.floor((now - oldest.since) / 1000)} s${waiting.length > 1 ? ` (and ${waiting.length - 1} more)` : ''}`}
      </Text>
    </Box>
  )
}

/** Draws on this stream until `end`; Ctrl-C stays with the command. */
export function show(snapshot: () => Snapshot, stream: NodeJS.WriteStream): View {
  const app = render(<Progress snapshot={snapshot} width={Math.min(stream.columns, 100)} />, {
    stdout: stream,
    stderr: stream,
    exitOnCtrlC: false,
    patchConsole: false,
    maxFps: framesPerSecond,
    interactive: true,
  })
  return {
    end: async () => {
      app.clear()
      app.unmount()
      await app.waitUntilExit()
    },
  }
}
