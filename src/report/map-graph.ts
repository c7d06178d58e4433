/** The map of identities as a picture's text: for Graphviz, and for Mermaid, which GitHub draws by itself. */
import type { IdentityMap, Link, LinkState } from '../core/identity-map.ts'
import type { MapRenderer } from './map.ts'
import { clean } from './text.ts'

type Node = { readonly id: string; readonly label: string; readonly kind: 'account' | 'identity' }
type Edge = { readonly from: string; readonly to: string; readonly link: Link }

const who = ({ context, issuer, namespace, name, pattern }: Link): string => {
  const base = name === '*' ? (pattern ?? '*') : `${namespace}/${name}`
  const where = issuer ?? context
  return where === undefined ? base : `${base}\nin ${where}`
}

/** Nodes are named by their order: no name from outside is ever part of the picture's own language. */
function graph({ links }: IdentityMap): { readonly nodes: readonly Node[]; readonly edges: readonly Edge[] } {
  const nodes = new Map<string, Node>()
  const nodeOf = (kind: Node['kind'], label: string): string => {
    const key = `${kind} ${label}`
    const node = nodes.get(key) ?? { id: `n${nodes.size}`, label, kind }
    nodes.set(key, node)
    return node.id
  }
  const edges = links.map((link) => ({
    from: nodeOf('account', who(link)),
    to: nodeOf('identity', link.identity),
    link,
  }))
  return { nodes: [...nodes.values()], edges }
}

const words = ({ state, via, trust }: Link): string =>
  trust === 'exact' ? `${state}, ${via}` : `${state}, ${via}, ${trust}`

const colors: { readonly [S in LinkState]: string } = {
  refused: '#b3141f',
  unseen: '#0a5bb5',
  orphan: '#7d4e00',
  may: '#7d4e00',
  bound: '#116329',
  elsewhere: '#59636e',
}

const lines = (text: string): readonly string[] => text.split('\n').map(clean)

const dotText = (text: string): string =>
  `"${lines(text)
    .map((line) => line.replaceAll('\\', '\\\\').replaceAll('"', '\\"'))
    .join('\\n')}"`

const styles: { readonly [S in LinkState]: string } = {
  refused: 'dotted',
  unseen: 'dotted',
  orphan: 'dashed',
  may: 'dashed',
  bound: 'solid',
  elsewhere: 'dashed',
}

export const renderDot: MapRenderer = (map) => {
  const { nodes, edges } = graph(map)
  return `${[
    'digraph identities {',
    '  rankdir=LR;',
    '  node [fontname="sans-serif", style=rounded];',
    '  edge [fontname="sans-serif", fontsize=10];',
    ...nodes.map(
      ({ id, label, kind }) => `  ${id} [label=${dotText(label)}, shape=${kind === 'account' ? 'box' : 'ellipse'}];`,
    ),
    ...edges.map(
      ({ from, to, link }) =>
        `  ${from} -> ${to} [label=${dotText(words(link))}, color="${colors[link.state]}", style=${styles[link.state]}];`,
    ),
    '}',
  ].join('\n')}\n`
}

/** Entity codes are the only way to write these in a Mermaid label: https://mermaid.js.org/syntax/flowchart.html#entity-codes-to-escape-characters */
const mermaidText = (text: string): string =>
  `"${lines(text)
    .map((line) => line.replace(/[^\p{L}\p{N} .,:/@_*-]/gu, (character) => `#${character.codePointAt(0)};`))
    .join('<br/>')}"`

export const renderMermaid: MapRenderer = (map) => {
  const { nodes, edges } = graph(map)
  const drawn = edges.map(({ from, to, link }) => {
    const arrow = link.state === 'bound' ? '-->' : link.state === 'refused' ? '--x' : '-.->'
    return `  ${from} ${arrow}|${mermaidText(words(link))}| ${to}`
  })
  const colored = edges.map(({ link }, index) => `  linkStyle ${index} stroke:${colors[link.state]}`)
  return `${[
    'flowchart LR',
    ...nodes.map(
      ({ id, label, kind }) => `  ${id}${kind === 'account' ? `[${mermaidText(label)}]` : `([${mermaidText(label)}])`}`,
    ),
    ...drawn,
    ...colored,
  ].join('\n')}\n`
}
