/** `npm run new check aws/role-exists`: a check that compiles, its place in the lists, and a passing and a failing case. */
import { existsSync, globSync, mkdirSync, writeFileSync } from 'node:fs'
import path from 'node:path'

const root = path.dirname(import.meta.dirname)
const clouds = ['aws', 'azure', 'gcp']
const index = path.join(root, 'src', 'checks', 'index.ts')

const refuse = (sentence: string): never => {
  console.error(sentence)
  process.exit(2)
}

const camel = (words: string): string => words.replaceAll(/[-/](\w)/g, (_, letter: string) => letter.toUpperCase())

// The slug says the good state already; a person makes a better sentence of it.
const titleOf = (slug: string): string => {
  const words = slug.replaceAll('-', ' ')
  return `The ${words}`
}

const checkFile = (id: string, folder: string, title: string): string => `/** ${title}. */
import { defineCheck } from '../../core/check.ts'
import { serviceAccount } from '../../probes/workload/service-account.ts'

export const check = defineCheck({
  meta: {
    id: '${id}',
    title: '${title}',
    severity: 'error',
    scope: 'service-account',
    cloud: '${clouds.includes(folder) ? folder : 'any'}',
    section: 'Workload',
    why: 'TODO: why it matters to the workload, in one sentence.',
    fix: { safety: 'manual', does: 'TODO: what puts it right, and what it leaves alone' },
    links: ['https://kubernetes.io/docs/tasks/configure-pod-container/configure-service-account/'],
  },
  // Without these facts there is nothing to say.
  needs: { serviceAccount },
  // These can only add a reason to fail.
  wants: {},
  after: [],
  messages: {
    'says-what-is-wrong': ({ name }: { name: string }) => \`ServiceAccount \${name} TODO: what is wrong\`,
  },
  judge: ({ have, subject }) => {
    if (have.serviceAccount.state === 'absent')
      return { status: 'not-applicable', reason: 'there is no such ServiceAccount' }
    const { value, from } = have.serviceAccount
    const observed = value.annotations['todo.example.com/state'] ?? ''
    const evidence = [{ question: from, path: 'metadata.annotations', observed, expected: 'good' }]
    if (observed !== 'good')
      return { status: 'fail', message: 'says-what-is-wrong', data: { name: subject.name }, evidence }
    return { status: 'pass', evidence }
  },
})
`

const caseFile = (story: string, expectation: string, state: string): string => `source: constructed
story: ${story}
subject: {kind: ServiceAccount, namespace: shop, name: cart}
${expectation}
never: []
---
apiVersion: v1
kind: ServiceAccount
metadata:
  name: cart
  namespace: shop
  uid: 11111111-1111-4111-8111-111111111111
  annotations:
    # Whoever has no cloud identity is not examined.
    eks.amazonaws.com/role-arn: arn:aws:iam::111122223333:role/cart
    todo.example.com/state: ${state}
`

// A list for each folder, and one of the lists: both are derived from the files that are there.
const writeIndex = (folder: string): string => {
  const checks = path.dirname(index)
  const slugs = globSync(`${folder}/*.ts`, { cwd: checks }).map((file) => path.basename(file, '.ts'))
  const folders = globSync('*/', { cwd: checks }).map((name) => path.basename(name))
  const list = path.join(checks, `${folder}.ts`)
  const lists = (names: readonly string[], line: (name: string) => string): readonly string[] =>
    names.toSorted().map(line)
  const text = [
    `/** The checks of ${folder}/: \`export const check = defineCheck({…})\` in the file that its id names, and a line here. */`,
    "import type { Check } from '../core/check.ts'",
    ...lists(slugs, (slug) => `import { check as ${camel(slug)} } from './${folder}/${slug}.ts'`),
    '',
    `export const ${camel(folder)}: readonly Check[] = [`,
    ...lists(slugs, (slug) => `  ${camel(slug)},`),
    ']',
  ]
  writeFileSync(list, `${text.join('\n')}\n`)
  const all = [
    '/** All checks, by id, folder by folder. */',
    "import type { Check } from '../core/check.ts'",
    ...lists(folders, (name) => `import { ${camel(name)} } from './${name}.ts'`),
    '',
    `export const checks: readonly Check[] = [${lists(folders, (name) => `...${camel(name)}`).join(', ')}]`,
  ]
  writeFileSync(index, `${all.join('\n')}\n`)
  return list
}

const newCheck = (id: string): void => {
  if (!/^[a-z][a-z0-9]*(-[a-z0-9]+)*\/[a-z][a-z0-9]*(-[a-z0-9]+)*$/.test(id)) {
    refuse(`"${id}" is not a check's id: FOLDER/GOOD-STATE in kebab-case, as in aws/role-exists.`)
  }
  const [folder = '', slug = ''] = id.split('/')
  const file = path.join(root, 'src', 'checks', `${id}.ts`)
  if (existsSync(file)) refuse(`${path.relative(root, file)} exists already.`)
  const shelf = path.join(root, 'test', 'fixtures', folder, slug)
  const written: ReadonlyArray<readonly [file: string, text: string]> = [
    [file, checkFile(id, folder, titleOf(slug))],
    [
      path.join(shelf, 'passes.case.yaml'),
      caseFile('TODO, what its user saw while all was well.', `finds: []\npasses: [${id}]`, 'good'),
    ],
    [
      path.join(shelf, 'says-what-is-wrong.case.yaml'),
      caseFile('TODO, what its user saw.', `finds:\n- ${id}: says-what-is-wrong\npasses: []`, 'bad'),
    ],
  ]
  for (const [target, text] of written) {
    mkdirSync(path.dirname(target), { recursive: true })
    writeFileSync(target, text)
  }
  const list = writeIndex(folder)
  for (const target of [...written.map(([name]) => name), list, index]) console.log(path.relative(root, target))
  console.log('Now say what is good, judge it, and name the messages after what is wrong; then `npm run generate`.')
}

const [what, id] = process.argv.slice(2)
if (what !== 'check' || id === undefined) refuse('npm run new check FOLDER/GOOD-STATE')
else newCheck(id)
