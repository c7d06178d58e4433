/** The output formats by name, each loaded only when it is asked for. */
import type { Renderer } from '../core/report.ts'

export const renderers = {
  table: () => import('./table.ts').then(({ render }) => render),
  wide: () => import('./wide.ts').then(({ render }) => render),
  json: () => import('./json.ts').then(({ render }) => render),
  yaml: () => import('./yaml.ts').then(({ render }) => render),
  sarif: () => import('./sarif.ts').then(({ render }) => render),
  junit: () => import('./junit.ts').then(({ render }) => render),
  markdown: () => import('./markdown.ts').then(({ render }) => render),
  github: () => import('./github.ts').then(({ render }) => render),
  openreports: () => import('./policy-report.ts').then(({ render }) => render),
  policyreport: () => import('./policy-report.ts').then(({ renderPolicyReport }) => renderPolicyReport),
  metrics: () => import('./metrics.ts').then(({ render }) => render),
  html: () => import('./html.ts').then(({ render }) => render),
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
