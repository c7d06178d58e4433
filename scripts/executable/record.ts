// Runs the product out of a folder of prepared chunks, and keeps what V8 has compiled of them by its end: `record.ts FOLDER [ARGUMENT…]`.
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

if (process.argv[2] === '--all') {
  for (const name of readdirSync(path.join(folder, 'lib')))
    if (name.endsWith('.cjs') && !existsSync(codeFile(name))) scripts.set(name, new vm.Script(text(name)))
} else start(load('main.cjs'))
