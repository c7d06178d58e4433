/** What the single executable begins with: answers --version, then loads the product out of its own assets. */
import { writeSync } from 'node:fs'
import { getRawAsset } from 'node:sea'
import { chunksOf, start } from './chunks.ts'

declare const VERSION: string

// Its own flags are in it: handed on the command line to another run of itself, they would be words of that.
process.execArgv = []

const bytesOf = (asset: string): Buffer => Buffer.from(getRawAsset(asset))

if (process.argv[2] === '--version') writeSync(1, `kubectl-wi ${VERSION}\n`)
else {
  // Beside the executable as `lib` is beside `bin`, though no such folder need exist.
  const home = `${process.execPath}.lib`
  const { load } = chunksOf({
    home,
    // The build leaves nothing but ASCII in a chunk, and of that a byte is a character.
    text: (name) => bytesOf(`lib/${name}`).toString(name.endsWith('.mjs') ? 'utf8' : 'latin1'),
    codeCache: (name) => bytesOf(`code/${name}`),
  })
  start(load('main.cjs'))
}
