/** Loads the product's chunks from wherever they are kept, each with what V8 has compiled of it before. */
import vm from 'node:vm'

export type Shelf = {
  /** A chunk or a document of the product, by its file's name. */
  readonly text: (name: string) => string
  readonly codeCache: (name: string) => Buffer | undefined
  /** Where the chunks say that they are: an absolute path that need not exist. */
  readonly home: string
}

type Module = { exports: unknown }
type Require = ((name: string) => unknown) & { readonly esm: (name: string) => Promise<unknown> }
type Wrapped = (exports: unknown, require: Require, module: Module, filename: string, dirname: string) => void

/** What a chunk is compiled as. `import()` of a chunk that is an ES module would look for a file, so it is asked of the shelf. */
export const wrapped = (text: string): string =>
  `(function(exports,require,module,__filename,__dirname){${text.replace(/\bimport\((`\.\/[\w-]+\.mjs`)\)/gu, 'require.esm($1)')}\n})`

const importModuleDynamically = vm.constants.USE_MAIN_CONTEXT_DEFAULT_LOADER

/** `scripts` holds what has been compiled, for whoever wants to keep it. */
export function chunksOf(shelf: Shelf) {
  const modules = new Map<string, Module>()
  const scripts = new Map<string, vm.Script>()
  const pathOf = (name: string): string => `${shelf.home}/${name}`

  let base: string | undefined
  // The chunks that are ES modules, whoever imports them: the program, or one of them another that stands beside it.
  const shelved = (): string => {
    if (base !== undefined) return base
    const { registerHooks } = process.getBuiltinModule('node:module')
    const home = process.getBuiltinModule('node:url').pathToFileURL(`${shelf.home}/`).href
    const isOurs = (url: string): boolean => url.startsWith(home) && url.endsWith('.mjs')
    registerHooks({
      resolve: (specifier, context, next) => {
        const url = URL.canParse(specifier, context.parentURL) ? new URL(specifier, context.parentURL).href : specifier
        return isOurs(url) ? { url, format: 'module', shortCircuit: true } : next(specifier, context)
      },
      load: (url, context, next) =>
        isOurs(url)
          ? { source: shelf.text(url.slice(home.length)), format: 'module', shortCircuit: true }
          : next(url, context),
    })
    base = home
    return home
  }

  const esm = async (name: string): Promise<unknown> => {
    const { href } = new URL(name, shelved())
    // An import() in the main script of a single executable knows builtin modules alone; one in a script of vm has Node's whole loader.
    const importer = new vm.Script('(url) => import(url)', {
      filename: pathOf('importer.cjs'),
      importModuleDynamically,
    })
    return importer.runInThisContext()(href)
  }

  const require: Require = Object.assign(
    (name: string): unknown => {
      if (name.startsWith('./')) return load(name.slice(2))
      const builtin: unknown = process.getBuiltinModule(name)
      if (builtin === undefined) throw Object.assign(new Error(`no module ${name}`), { code: 'MODULE_NOT_FOUND' })
      return builtin
    },
    { esm },
  )

  const load = (name: string): unknown => {
    const known = modules.get(name)
    if (known !== undefined) return known.exports
    const module: Module = { exports: {} }
    modules.set(name, module)
    if (name.endsWith('.json')) {
      module.exports = JSON.parse(shelf.text(name))
      return module.exports
    }
    const filename = pathOf(name)
    const cachedData = shelf.codeCache(name)
    const script = new vm.Script(shelf.text(name), {
      filename,
      importModuleDynamically,
      ...(cachedData === undefined ? {} : { cachedData }),
    })
    scripts.set(name, script)
    const run: Wrapped = script.runInThisContext()
    run(module.exports, require, module, filename, shelf.home)
    return module.exports
  }

  return { load, scripts }
}

/** What the main chunk has to be asked. */
export const start = (main: unknown): void => {
  if (typeof main !== 'object' || main === null || !('start' in main) || typeof main.start !== 'function')
    throw new Error('the main chunk has no start')
  main.start()
}
