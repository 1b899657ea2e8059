#!/usr/bin/env node
'use strict'

/*
 * Loads dist/main.cjs. CommonJS, because Node starts it 5 ms sooner than an ES module; and as Python keeps what it
 * compiled beside the source, V8's code of each module is kept in dist/cache (where that folder can be written), which
 * saves a fifth of the time of a small plan. The modules' names hold a hash of their text, so that no old code is used.
 */
const { mkdirSync, readFileSync, renameSync, writeFileSync } = require('node:fs')
const { createRequire } = require('node:module')
const { join } = require('node:path')
const { Script } = require('node:vm')

// Node 20 alone: there V8 optimizes the YAML parser in the middle of its one short run, for 40 ms.
if (process.version.startsWith('v20.')) require('node:v8').setFlagsFromString('--interrupt-budget=1000000')

const dist = join(__dirname, '..', 'dist')
const cache = join(dist, 'cache', `${process.version}-${process.platform}-${process.arch}`)
const requirePackage = createRequire(join(dist, 'main.cjs'))
const loaded = new Map()
const uncached = new Map()

load('main.cjs')
process.once('exit', keepCode)

function load(name) {
  const known = loaded.get(name)
  if (known !== undefined) return known.exports
  const module = { exports: {} }
  loaded.set(name, module)
  const filename = join(dist, name)
  const wrapped = `(function (exports, require, module, __filename) {${readFileSync(filename, 'utf8')}\n})`
  const cachedData = name === 'main.cjs' ? undefined : codeOf(name)
  const script = new Script(wrapped, { filename, cachedData })
  if (cachedData === undefined && name !== 'main.cjs') uncached.set(name, script)
  script.runInThisContext().call(module.exports, module.exports, requireFrom, module, filename)
  return module.exports
}

function requireFrom(id) {
  return id.startsWith('./') ? load(id.slice(2)) : requirePackage(id)
}

function codeOf(name) {
  try {
    return readFileSync(join(cache, name))
  } catch {
    return undefined
  }
}

/** At the end, when the functions that were used are compiled and so part of it. */
function keepCode() {
  try {
    for (const [name, script] of uncached) {
      const unfinished = join(cache, `.${process.pid}-${name}`)
      mkdirSync(cache, { recursive: true })
      writeFileSync(unfinished, script.createCachedData())
      renameSync(unfinished, join(cache, name))
    }
  } catch {
    // A folder of another user: perfdb starts a little slower, and that is all.
  }
}
