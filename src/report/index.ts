/** The output formats by name, each loaded only when it is asked for. */
import type { Renderer } from '../core/report.ts'

export const renderers = {
  table: () => import('./table.ts').then(({ render }) => render),
  wide: () => import('./wide.ts').then(({ render }) => render),
  json: () => import('./json.ts').then(({ render }) => render),
  yaml: () => import('./yaml.ts').then(({ render }) => render),
} as const satisfies { readonly [format: string]: () => Promise<Renderer> }

export type Format = keyof typeof renderers
