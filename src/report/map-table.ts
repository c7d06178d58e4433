/** The map of identities as kubectl prints tables, with what stands out below. */
import { type Link, type LinkState, linkStates } from '../core/identity-map.ts'
import type { MapRenderer } from './map.ts'
import { type Paint, paintOf } from './paint.ts'
import { clean, count, wrap } from './text.ts'

const roles = {
  refused: 'bad',
  unseen: 'open',
  orphan: 'careful',
  may: 'careful',
  bound: 'good',
  elsewhere: 'quiet',
} as const satisfies { readonly [S in LinkState]: keyof Paint }

const meanings: { readonly [S in LinkState]: string } = {
  refused: 'asks for an identity that does not let it through',
  unseen: 'asks for an identity of which it was not seen whether it lets it through',
  orphan: 'is trusted and does not exist',
  may: 'is let through and does not ask, as far as was seen',
  bound: 'asks and is let through',
  elsewhere: 'is trusted in another cluster',
}

const trustOf = ({ trust, pattern, issuer }: Link): string =>
  [trust, ...(pattern === undefined ? [] : [pattern]), ...(issuer === undefined ? [] : [`of ${issuer}`])].join(' ')

const plural = (links: readonly Link[], state: LinkState): string => {
  const number = links.filter((link) => link.state === state).length
  return number === 0 ? '' : `${number} ${state}`
}

const wildcards = (links: readonly Link[]): number => links.filter(({ trust }) => trust === 'wildcard').length

export const render: MapRenderer = ({ links, source, remarks, unseen }, { color, width }) => {
  const paint = paintOf(color)
  const several = links.some(({ context }) => context !== undefined)
  const heads = ['STATE', ...(several ? ['CONTEXT'] : []), 'SERVICEACCOUNT', 'PODS', 'IDENTITY', 'VIA', 'TRUST']
  const rows = links.map((link) => ({
    link,
    cells: [
      link.state,
      ...(several ? [link.context ?? ''] : []),
      link.name === '*' ? '*' : `${link.namespace}/${link.name}`,
      link.pods === undefined ? '-' : String(link.pods),
      link.identity,
      link.via,
      trustOf(link),
    ].map(clean),
  }))
  const widths = heads.map((head, column) =>
    rows.reduce((most, { cells }) => Math.max(most, (cells[column] ?? '').length), head.length),
  )
  const laid = (cells: readonly string[]): readonly string[] =>
    cells.map((cell, column) => (column === heads.length - 1 ? cell : cell.padEnd(widths[column] ?? 0)))
  const table = [
    paint.strong(laid(heads).join('   ')),
    ...rows.map(({ link, cells }) => {
      const [state = '', ...rest] = laid(cells)
      return [paint[roles[link.state]](state), ...rest].join('   ')
    }),
  ]
  const bullets = (all: readonly string[]): readonly string[] =>
    all.flatMap((one) => wrap(clean(one), width - 3).map((line, index) => `${index === 0 ? ' - ' : '   '}${line}`))
  const used = linkStates.filter((state) => links.some((link) => link.state === state))
  const states = used.map((state) => plural(links, state)).join(', ')
  const wide = wildcards(links)
  return `${[
    ...(links.length === 0 ? ['nobody was found who can become an identity of a cloud'] : [...table, '']),
    ...used.map((state) => `${paint[roles[state]](state.padEnd(9))} ${meanings[state]}`),
    ...(remarks.length === 0 ? [] : ['', paint.strong('Stands out'), ...bullets(remarks)]),
    ...(unseen.length === 0 ? [] : ['', paint.strong('Not seen, so links may be missing'), ...bullets(unseen)]),
    '',
    ...wrap(
      clean(
        `${count(links.length, 'link')}${states === '' ? '' : `: ${states}`}${wide === 0 ? '' : `; ${wide} by a wildcard`}; from ${source}`,
      ),
      width,
    ),
  ].join('\n')}\n`
}
