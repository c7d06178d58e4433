/** The output formats by name, each loaded only when it is asked for. */
import type { Renderer } from '../core/report.ts'

export const renderers = {
  table: () => import('./table.ts').then(({ render }) => render),
  wide: () => import('./wide.ts').then(({ render }) => render),
  json: () => import('./json.ts').then(({ render }) => render),
  yaml: () => import('./yaml.ts').then(({ render }) => render),
} as const satisfies { readonly [format: string]: () => Promise<Renderer> }

/** The same texts, those that grow large in pieces. */
export const piecesOf = async (
  format: Format,
  ...[report, options]: Parameters<Renderer>
): Promise<Iterable<string>> =>
  format === 'json'
    ? import('./json.ts').then(({ pieces }) => pieces(report))
    : renderers[format]().then((render) => [render(report, options)])

export type Format = keyof typeof renderers
