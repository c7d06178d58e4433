/** Runs the product out of a folder of prepared chunks, and keeps what V8 has compiled of them by its end: `record.ts FOLDER [ARGUMENT…]`. */
import { existsSync, readdirSync, readFileSync, writeFileSync } from 'node:fs'
import path from 'node:path'
import vm from 'node:vm'
import { chunksOf, start } from './chunks.ts'

const [folder = ''] = process.argv.splice(2, 1)
const text = (name: string): string => readFileSync(path.join(folder, 'lib', name), 'utf8')
const codeFile = (name: string): string => path.join(folder, 'code', name)
const codeCache = (name: string): Buffer | undefined =>
  existsSync(codeFile(name)) ? readFileSync(codeFile(name)) : undefined

const { load, scripts } = chunksOf({ home: path.join(folder, 'lib'), text, codeCache })

// What ran before is in the cache that it began with, so each run adds to those before it.
process.on('exit', () => {
  for (const [name, script] of scripts) writeFileSync(codeFile(name), script.createCachedData())
})

const rest = (): void => {
  for (const name of readdirSync(path.join(folder, 'lib')).filter((one) => one.endsWith('.cjs'))) {
    const cachedData = codeCache(name)
    const script = new vm.Script(text(name), cachedData === undefined ? {} : { cachedData })
    if (cachedData === undefined) scripts.set(name, script)
    // A cache that is turned down costs its reading, and saves nothing.
    else if (script.cachedDataRejected === true) throw new Error(`the recorded code of ${name} cannot be used`)
  }
}

if (process.argv[2] === '--rest') rest()
else start(load('main.cjs'))
