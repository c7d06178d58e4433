/** One document of a folder as it was read, and what a recogniser makes of it. */
import type { Fact, Question } from '../../core/fact.ts'
import { known } from '../../core/fact.ts'
import type { Json } from '../../core/json.ts'
import type { Duplicate } from '../../domain/json-text.ts'

/** A file's name as people know it, and its text; `line` where the text does not begin at the first line of the file. */
export type TextFile = { readonly name: string; readonly text: string; readonly line?: number }

export type Document = {
  /** The path as it is shown to people. */
  readonly file: string
  /** The file's name without its ending: what names a role, an account or a host that the output itself does not name. */
  readonly stem: string
  /** The folder that the file lies in. */
  readonly folder: string
  readonly value: Json
  /** Line of the file on which it begins, from 1. */
  readonly line: number
  /** It stood in a list at the top of its file: az prints all there are as one. */
  readonly ofList?: true
  /** Members that stand twice in its text, which parsing hides. Only while the folder is read. */
  readonly duplicates: () => readonly Duplicate[]
}

export type Problem = {
  readonly file: string
  readonly line?: number
  readonly column?: number
  /** One sentence for a person. */
  readonly message: string
}

/** What one system makes of the documents: it takes what it knows by shape, and answers questions from what it took. */
export type Recogniser = {
  /** Whether the document is of this system; it is kept then. */
  readonly take: (document: Document) => boolean
  /** Undefined where no document says anything about it. */
  readonly answer: (question: Question) => Fact<Json> | undefined
}

const ending = /(?:\.(?:ya?ml|json|jwt|pem|crt|cer|log|txt))+$/i

/** `roles/cart.json` → `cart`. Dots inside a name stay: issuer.example.com.pem is of issuer.example.com. */
export const stemOf = (name: string): string => (name.split(/[\\/]/).at(-1) ?? name).replace(ending, '')

export const folderOf = (name: string): string => name.split(/[\\/]/).slice(0, -1).join('/')

/** The account that a file is about: its stem, or that of its folder, begins with 12 digits. */
export const accountOf = ({ stem, folder }: Document): string | undefined =>
  [stem, folder.split('/').at(-1) ?? ''].map((one) => /^(\d{12})(?!\d)/.exec(one)?.[1]).find((one) => one !== undefined)

/** A known answer, frozen as far as that is cheap. */
export const told = (value: Json, from: Question): Fact<Json> =>
  Object.freeze(known(typeof value === 'object' ? Object.freeze(value) : value, from))
