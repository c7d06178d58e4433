// The one-way rule: which folder may know which, and why. `npm run check` enforces it.

const folders = [
  'apply',
  'checks',
  'commands',
  'core',
  'domain',
  'examine',
  'fixers',
  'flags',
  'knowledge',
  'lab',
  'probes',
  'report',
  'sources',
  'ui',
]

// world -> Source -> Fact -> Check -> Finding -> Plan -> Report -> text: each folder knows those behind it and none ahead.
const mayImport = {
  core: [],
  domain: ['core'],
  knowledge: ['core', 'domain'],
  sources: ['core', 'domain', 'knowledge'],
  probes: ['core', 'domain', 'knowledge'],
  checks: ['core', 'domain', 'knowledge', 'probes'],
  fixers: ['core', 'domain', 'probes', 'checks'],
  apply: ['core', 'domain', 'sources/live'],
  report: ['core'],
  ui: ['core'],
  lab: ['core', 'domain', 'knowledge', 'sources/documents'],
  flags: ['core', 'examine'],
  examine: ['core', 'domain', 'knowledge', 'sources', 'probes', 'checks', 'fixers', 'apply', 'report', 'ui', 'flags'],
}

const because = {
  core: 'core is the grammar that everything else speaks; the day it imports a folder it has learnt about a cloud or a disk.',
  domain:
    "domain holds the clouds' own rules as pure functions, true with or without this tool; it borrows core's types, no more.",
  knowledge: 'knowledge is data; what reads it decides what it means.',
  sources:
    'Sources look and do not judge: a source that knows a check begins to answer what the check would like to hear.',
  probes:
    'A probe turns one question into one typed fact. Whoever answers the question (live, documents, recorded) is not its business.',
  checks:
    'A check judges facts that it declared in `needs`; if it needs something more, add a probe, so that it can be replayed.',
  fixers:
    'A fixer proposes for the messages of its check, from the facts of its finding; importing what reads or writes the world would let it act.',
  apply:
    'apply carries out actions as data: it invents none, so it needs their shape, and the connections that sources/live makes.',
  report:
    'A renderer sees the Report alone; whatever it wants to show has to be in there, for the JSON reader has nothing else.',
  ui: 'What is drawn on a terminal is what core says is happening, or what it is handed to ask about; the final text always comes from report/.',
  lab: 'The lab serves a case over the wire as the world would; it must not know what the doctor concludes from it.',
  flags: 'A flag says what the words on the command line mean, and does nothing about them.',
  examine:
    'One run of the doctor, for every command that needs one; a command opens it, it opens no command, and whatever it changes goes through apply.',
}

const oneWay = Object.entries(mayImport).map(([folder, allowed]) => ({
  name: `${folder}-imports-${allowed.join('-').replaceAll('/', '-') || 'nothing'}`,
  severity: 'error',
  comment: because[folder],
  from: { path: `^src/${folder}/` },
  to: {
    path: `^src/(${folders.join('|')})/`,
    pathNot: [folder, ...allowed].map((name) => `^src/${name}/`),
  },
}))

const sdks =
  'node_modules/(@aws-sdk|@aws-crypto|@smithy|@azure|@google-cloud|google-auth-library|@kubernetes/client-node|openid-client)/'

module.exports = {
  forbidden: [
    ...oneWay,
    {
      name: 'domain-borrows-types-alone',
      severity: 'error',
      comment:
        "domain may name core's types and call nothing of it but the ways to walk plain data (core/json.ts): " +
        'write `import type`, or move the function to domain.',
      from: { path: '^src/domain/' },
      to: { path: '^src/core/', pathNot: '^src/core/(json|edit)\\.ts$', dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'core-and-domain-are-self-contained',
      severity: 'error',
      comment:
        'Packages change under us; the grammar and the clouds’ rules should read the same in ten years. ' +
        'Three exceptions: yaml, since where a member stands twice in a text is seen in its tree alone, @noble/hashes, ' +
        'a pure digest that the kid of a key is made with, and @bufbuild/cel, the language in which Google writes attribute ' +
        'conditions, which one file alone evaluates (reached by await import()).',
      from: { path: '^src/(core|domain)/' },
      to: { path: 'node_modules/', pathNot: 'node_modules/(yaml|@noble/hashes|@bufbuild/cel)/' },
    },
    {
      name: 'cel-is-loaded-late',
      severity: 'error',
      comment:
        'The evaluator of CEL is large, and few workloads have a condition: reach it by `await import()`, or by `import type`.',
      from: { path: '^src/' },
      to: { path: '^src/domain/gcp-cel\\.ts$', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'thought-touches-no-machine',
      severity: 'error',
      comment:
        'What thinks is pure: no files, clock, environment or network, or a bundle would not replay to the same findings. ' +
        'A fact that is needed comes from a probe; the time, too, is a fact (the clock probe).',
      from: { path: '^src/(core|domain|probes|checks|fixers|report|knowledge)/' },
      to: { dependencyTypes: ['core'] },
    },
    {
      name: 'sdks-live-at-the-border',
      severity: 'error',
      comment:
        'The SDKs are slow to load and speak their own dialect: only src/sources/live reads through them and src/apply writes, ' +
        'reached by await import(), so that a command which asks no cloud loads none of them.',
      from: { path: '^src/', pathNot: '^src/(sources/live|apply)/' },
      to: { path: sdks },
    },
    {
      name: 'ink-draws-in-ui',
      severity: 'error',
      comment: 'ink and react cost more than the rest of a start together; src/ui is their only home.',
      from: { path: '^src/', pathNot: '^src/ui/' },
      to: { path: 'node_modules/(ink|react|react-reconciler|yoga-layout)/' },
    },
    {
      name: 'ui-is-loaded-late',
      severity: 'error',
      comment: 'src/ui is built as ES modules: reach it by `await import()` on a terminal, or by `import type`.',
      from: { path: '^src/', pathNot: '^src/ui/' },
      to: { path: '^src/ui/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'live-is-loaded-late',
      severity: 'error',
      comment:
        'A live source brings its SDK: reach it by `await import()`, or `kubectl wi explain` pays for AWS. ' +
        'What writes to Azure is reached so itself, and reads its answers by the same words.',
      from: { path: '^src/', pathNot: '^src/(sources/live/|apply/azure-)' },
      to: { path: '^src/sources/live/', dynamic: false, dependencyTypesNot: ['type-only'] },
    },
    {
      name: 'nobody-imports-a-command',
      severity: 'error',
      comment: 'A command is a door. What two doors share belongs in a room: sources, report, or a folder of its own.',
      from: { path: '^src/' },
      to: { path: '^src/commands/' },
    },
    {
      name: 'product-does-not-know-its-tests',
      severity: 'error',
      comment: 'src is what ships; tests, benchmarks and scripts look at it, never the other way.',
      from: { path: '^src/' },
      to: { path: '^(test|bench|scripts)/' },
    },
    {
      name: 'no-circles',
      severity: 'error',
      comment: 'Two files that need each other are one file, or hide a third that both need.',
      from: {},
      to: { circular: true, viaOnly: { dependencyTypesNot: ['type-only'] } },
    },
    {
      name: 'no-orphans',
      severity: 'error',
      comment: 'A file that nobody imports and that imports nobody is forgotten: wire it in or delete it.',
      from: { path: '^src/', orphan: true, pathNot: '^src/(main\\.ts|commands/)' },
      to: {},
    },
    {
      name: 'everything-resolves',
      severity: 'error',
      comment: 'An import that resolves to nothing works until it is reached.',
      from: {},
      to: { couldNotResolve: true },
    },
  ],
  options: {
    parser: 'swc',
    tsPreCompilationDeps: true,
    doNotFollow: { path: 'node_modules' },
    exclude: { path: '^(dist|test/fixtures)' },
    enhancedResolveOptions: {
      exportsFields: ['exports'],
      conditionNames: ['import', 'node', 'types', 'default'],
      mainFields: ['module', 'main', 'types'],
      extensions: ['.ts', '.tsx', '.js', '.mjs', '.cjs', '.json', '.d.ts'],
    },
  },
}
