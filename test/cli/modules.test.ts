import { execFile } from 'node:child_process'
import { basename, join } from 'node:path'
import { beforeAll, expect, test } from 'vitest'
import { build, folder } from './perfdb.js'

/*
 * What a command loads is what its start costs, whatever the machine: the number and the bytes of perfdb's own modules, and what it must not need. A
 * limit is raised only together with a look at what came in and why.
 */
const root = join(import.meta.dirname, '../..')
const profile = join(root, 'profiles/job-shop.yaml')
const pools = join(root, 'profiles/job-shop.pools.yaml')

beforeAll(build)

/** Prints the length and the file of each script that is compiled. */
const listing = `
const vm = require('node:vm')
const { Script } = vm
vm.Script = class extends Script {
  constructor(text, options) {
    super(text, options)
    process.stderr.write('\\nloaded ' + text.length + ' ' + options.filename + '\\n')
  }
}`

test.each([
  { args: ['--version'], modules: 0, kilobytes: 0, without: [/./] },
  { args: ['--help'], modules: 5, kilobytes: 102, without: [/^yaml-/, /^run-/] },
  { args: ['plan', 'wrong.yaml'], modules: 12, kilobytes: 452, without: [/^plan-/, /^table-/] },
  { args: ['check-pool', '--offline', pools], modules: 14, kilobytes: 650, without: [/^plan-/] },
  {
    args: ['verify', profile, '--url', 'postgres://nobody@127.0.0.1:1/none'],
    modules: 14,
    kilobytes: 695,
    without: [/^embedded-/, /^dialect-/],
    // What the others do without goes by these names.
    needed: [/^plan-/, /^yaml-/, /^run-/],
  },
])(
  '$args.0 loads at most $modules modules of $kilobytes kB',
  async ({ args, modules, kilobytes, without, needed = [] }) => {
    await using at = await folder({ 'wrong.yaml': 'version: 1\nindices: []\n', 'listing.cjs': listing })
    const loaded = await new Promise<string>((resolve) => {
      const environment = { PATH: process.env['PATH'], HOME: at.path, PERFDB_CODE_CACHE: '0' }
      const words = ['-r', join(at.path, 'listing.cjs'), join(root, 'bin/perfdb.js'), ...args]
      execFile(process.execPath, words, { cwd: at.path, env: environment }, (_, __, stderr) => resolve(stderr))
    })
    const files = [...loaded.matchAll(/^loaded (\d+) (.*)$/gm)]
    const names = files.map(([, , file = '']) => basename(file))
    expect(names.length, names.join('\n')).toBeLessThanOrEqual(modules)
    expect(files.reduce((sum, [, bytes]) => sum + Number(bytes), 0)).toBeLessThanOrEqual(kilobytes * 1000)
    for (const pattern of needed) expect(names.filter((name) => pattern.test(name))).not.toEqual([])
    for (const pattern of without) expect(names.filter((name) => pattern.test(name))).toEqual([])
  },
)
