/** The forms of a plan by name, each loaded only when it is asked for. */
import type { PlanReport } from '../core/plan.ts'
import type { RenderOptions } from '../core/report.ts'

export type PlanOptions = Omit<RenderOptions, 'verbose'> & {
  /** The plan is carried out right after. */
  readonly acts?: boolean
  /** It was made of documents, which are not changed. */
  readonly onPaper?: boolean
  /** The command that says, or does, more about those whom it was made for. */
  readonly next?: string
}
type Renderer = (report: PlanReport, options: PlanOptions) => string

export const planRenderers = {
  table: () => import('./plan-table.ts').then(({ render }) => render),
  diff: () => import('./plan-text.ts').then(({ diff }) => diff),
  shell: () => import('./plan-text.ts').then(({ shell }) => shell),
  yaml: () => import('./plan-text.ts').then(({ yaml }) => yaml),
  json: () => import('./plan-text.ts').then(({ json }) => json),
  terraform: () => import('./plan-terraform.ts').then(({ render }) => render),
} as const satisfies { readonly [format: string]: () => Promise<Renderer> }

export type PlanFormat = keyof typeof planRenderers
