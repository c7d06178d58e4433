/** The map of identities in its formats, each loaded only when it is asked for. */
import type { IdentityMap } from '../core/identity-map.ts'
import type { RenderOptions } from '../core/report.ts'

export type MapRenderer = (map: IdentityMap, options: Pick<RenderOptions, 'color' | 'width'>) => string

export const mapRenderers = {
  table: () => import('./map-table.ts').then(({ render }) => render),
  json: () => import('./map-data.ts').then(({ renderJson }) => renderJson),
  csv: () => import('./map-data.ts').then(({ renderCsv }) => renderCsv),
  dot: () => import('./map-graph.ts').then(({ renderDot }) => renderDot),
  mermaid: () => import('./map-graph.ts').then(({ renderMermaid }) => renderMermaid),
} as const satisfies { readonly [format: string]: () => Promise<MapRenderer> }

export type MapFormat = keyof typeof mapRenderers
