/** A folder of documents as a Source: what they say is known, what nobody wrote down is unknown, never absent. */
import { type Fact, type Question, type Source, unknown } from '../../core/fact.ts'
import type { Json, JsonObject } from '../../core/json.ts'
import { isTokenShaped } from '../../domain/token-claims.ts'
import { awsDocuments } from './aws.ts'
import { azureDocuments } from './azure.ts'
import { bundleDocuments } from './bundle.ts'
import { certificateDocuments } from './certificates.ts'
import { configurationDocuments } from './configurations.ts'
import type { Document, Problem, TextFile } from './document.ts'
import { readFiles } from './files.ts'
import { gcpDocuments } from './gcp.ts'
import { kubernetesDocuments } from './kubernetes.ts'
import { liftOf } from './lifts.ts'
import { logDocuments } from './logs.ts'
import { rolesNamed } from './nameless-trust.ts'
import { neighbourDocuments } from './neighbours.ts'
import { oidcDocuments } from './oidc.ts'
import { filesOf, parseTexts } from './texts.ts'
import { tokenDocuments } from './tokens.ts'

export type { Problem, TextFile } from './document.ts'

export type Documents = {
  readonly source: Source
  /** Files that no rule recognised. */
  readonly notRecognised: readonly string[]
  readonly problems: readonly Problem[]
  /** Which Kubernetes objects there are: plural → namespaces. */
  readonly seen: { readonly [resource: string]: readonly string[] }
  /** How many documents a rule has taken; none means that the paths hold nothing to examine. */
  readonly recognised: number
  /** Who was examined and by what when `collect` wrote them. */
  readonly run: JsonObject | undefined
  /** How many tokens were read and dropped. */
  readonly tokensDropped: number
}

export type DocumentOptions = {
  readonly signal?: AbortSignal
  /** The time to judge by where no bundle tells one, as ISO 8601 text. */
  readonly now?: string
  /** Where objects go that name no namespace. */
  readonly namespace?: string
  /** How the source is called in the report. */
  readonly name?: string
}

const plainText = /\.(?:log|txt)$/i
const structured = /\.(?:ya?ml|json)$/i
const isBare = (name: string): boolean => !(name.split('/').at(-1) ?? name).includes('.')

/** Reads the files at these paths, folders recursively. Never throws: what cannot be read is among the problems. */
export async function readDocuments(paths: readonly string[], options: DocumentOptions = {}): Promise<Documents> {
  const { files, binary, problems } = await readFiles(paths, options.signal)
  const documents = documentsFrom(files, { name: paths.join(', '), ...options })
  return {
    ...documents,
    notRecognised: [...binary, ...documents.notRecognised].sort(),
    problems: [...problems, ...documents.problems],
  }
}

/** The same from texts in memory. */
export function documentsFrom(files: readonly TextFile[], options: DocumentOptions = {}): Documents {
  const kubernetes = kubernetesDocuments(options.namespace)
  const oidc = oidcDocuments()
  const tokens = tokenDocuments(oidc)
  const logs = logDocuments()
  const bundle = bundleDocuments(options.now)
  const certificates = certificateDocuments(bundle.time)
  const configurations = configurationDocuments()
  const aws = awsDocuments()
  const systems = [
    configurations,
    kubernetes,
    oidc,
    tokens,
    aws,
    gcpDocuments(),
    azureDocuments(),
    neighbourDocuments(),
  ]
  const notRecognised = new Set<string>()
  const problems: Problem[] = []

  let recognised = 0
  const takeDocument = (document: Document): void => {
    if (bundle.take(document) || systems.some((system) => system.take(document))) {
      recognised += 1
      logs.takeStatus(document.value)
    } else if (logs.takeTrail(document)) recognised += 1
    else notRecognised.add(document.file)
  }

  const takeFile = (file: TextFile): void => {
    const { name, text } = file
    if (/\.jwt$/i.test(name) || (!structured.test(name) && isTokenShaped(text))) {
      tokens.takeText(name, text)
      recognised += 1
    } else if (certificates.takeText(name, text) || configurations.takeText(file)) recognised += 1
    else if (plainText.test(name)) {
      logs.takeText(name, text, file.line ?? 1)
      recognised += 1
    } else if (structured.test(name) || isBare(name)) {
      const parsed = parseTexts(file)
      problems.push(...parsed.problems)
      if (parsed.documents.length + parsed.problems.length === 0) notRecognised.add(name)
      for (const document of parsed.documents) takeDocument(document)
    } else notRecognised.add(name)
  }

  for (const file of files.flatMap(filesOf)) takeFile(file)
  tokens.finish()
  aws.settle(() => rolesNamed(kubernetes.objects))
  logs.takeEvents(kubernetes.objects('events'))
  const answering = [...systems, certificates, logs]

  const ask = (question: Question): Fact<Json> => {
    const recorded = bundle.answer(question, 'seen')
    if (recorded !== undefined) return recorded
    for (const system of answering) {
      const fact = system.answer(question)
      if (fact !== undefined) return fact
    }
    return (
      bundle.answer(question, 'unseen') ??
      Object.freeze(unknown('not-collected', 'no document says anything about it', question, liftOf(question)))
    )
  }

  return {
    source: { name: options.name ?? 'documents', ask },
    notRecognised: [...notRecognised].sort(),
    problems,
    seen: kubernetes.seen(),
    recognised,
    run: bundle.run(),
    tokensDropped: tokens.dropped(),
  }
}
