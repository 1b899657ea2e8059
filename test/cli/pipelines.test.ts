import { spawn } from 'node:child_process'
import { readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { parse, parseAllDocuments } from 'yaml'
import { sarifProblems } from '../support/sarif.js'
import { testDatabase, type TestDatabase } from '../support/database.js'
import { z } from '../../src/yaml/schema.js'
import { build, ended, folder, type Ended, type Folder } from './perfdb.js'

const root = join(import.meta.dirname, '../..')
const pools = `version: 1
kind: pools
servers: { main: { url: '\${DATABASE_URL}' } }
services: { web: { server: main, instances: 2, pool: { max: 5 } } }
`
let database: TestDatabase
let home: Folder

/** A project as it stands on the runner: with perfdb installed in it. */
beforeAll(async () => {
  await build()
  database = await testDatabase('create table t (a int, b int)')
  home = await folder({
    'perfdb.yaml': 'version: 1\nprofiles: [shop.yaml]\npools: [shop.pools.yaml]\n',
    'shop.yaml': 'version: 1\nprofile: shop\nindexes: [{ name: i, table: t, keys: [a] }]\n',
    'shop.pools.yaml': pools,
    'package.json': '{ "private": true }',
    'node_modules/.bin/.keep': '',
  })
  await symlink(join(root, 'bin/perfdb.js'), join(home.path, 'node_modules/.bin/perfdb'))
})
afterAll(async () => {
  await database[Symbol.asyncDispose]()
  await home[Symbol.asyncDispose]()
})

async function bash(script: string, environment: Readonly<Record<string, string>>): Promise<Ended> {
  const env = {
    PATH: process.env['PATH'],
    HOME: home.path,
    LANG: 'C.UTF-8',
    npm_config_offline: 'true',
    ...environment,
  }
  return ended(spawn('bash', ['-c', script], { cwd: home.path, env, stdio: ['ignore', 'pipe', 'pipe'] }))
}

describe('the action for GitHub', () => {
  const action = z.object({
    inputs: z.record(z.string(), z.object({ description: z.string(), default: z.string().optional() })),
    outputs: z.record(z.string(), z.object({ value: z.string() })),
    runs: z.object({
      using: z.literal('composite'),
      steps: z.array(
        z.object({
          name: z.string(),
          run: z.string().optional(),
          shell: z.string().optional(),
          env: z.record(z.string(), z.string()).optional(),
          uses: z.string().optional(),
          if: z.string().optional(),
        }),
      ),
    }),
  })
  const read = async () => action.parse(parse(await readFile(join(root, '.github/actions/perfdb/action.yml'), 'utf8')))

  /** The step as a runner runs it: its env filled from the inputs and their defaults. */
  async function runStep(
    inputs: Readonly<Record<string, string>>,
  ): Promise<Ended & { output: string; summary: string }> {
    const { inputs: declared, runs } = await read()
    const [step] = runs.steps
    if (step?.run === undefined || step.env === undefined) throw new Error('no script')
    const env = Object.entries(step.env).map(([name, value]) => [
      name,
      value.replace(
        /\$\{\{ inputs\.([\w-]+) \}\}/,
        (_, input: string) => inputs[input] ?? declared[input]?.default ?? '',
      ),
    ])
    await home.write({ output: '', summary: '' })
    const files = { GITHUB_OUTPUT: join(home.path, 'output'), GITHUB_STEP_SUMMARY: join(home.path, 'summary') }
    const done = await bash(step.run, { ...Object.fromEntries(env), ...files })
    return {
      ...done,
      output: await readFile(files.GITHUB_OUTPUT, 'utf8'),
      summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8'),
    }
  }

  test('no input stands in the text of a script', async () => {
    for (const { run = '', shell, uses } of (await read()).runs.steps) {
      expect(run).not.toContain('${{')
      expect(uses ?? shell).toMatch(/^bash$|@v\d+$/)
    }
  })

  test('verify of what is missing: annotations, summary, reports, output, and the exit code', async () => {
    const done = await runStep({ command: 'verify', url: database.url })
    expect(done).toMatchObject({ code: 1, output: 'exit-code=1\n' })
    expect(done.stdout).toMatch(/^::error file=shop\.yaml,line=3,col=\d+,title=perfdb MISSING::/)
    expect(done.summary).toContain('MISSING')
    const report = async (name: string) => readFile(join(home.path, 'perfdb-reports', name), 'utf8')
    expect(sarifProblems(await report('perfdb.sarif'))).toEqual([])
    expect(await report('perfdb.html')).toMatch(/^<!doctype html>/)
    expect(await report('perfdb.xml')).toContain('<testsuite name="perfdb verify"')
    expect(JSON.parse(await report('perfdb.json'))).toMatchObject({ command: 'verify', exit_code: 1 })
  })

  test('arguments are words and never commands', async () => {
    const done = await runStep({
      command: 'plan',
      url: database.url,
      arguments: 'shop.yaml\n  --exit-code   --allow REDUNDANT\n$(touch${IFS}stolen) ;touch stolen',
    })
    expect(done).toMatchObject({ code: 2, output: 'exit-code=2\n' })
    await expect(readFile(join(home.path, 'stolen'))).rejects.toThrow('ENOENT')
    const fine = await runStep({ command: 'plan', url: database.url, arguments: 'shop.yaml\n  --exit-code' })
    expect(fine).toMatchObject({ code: 1, output: 'exit-code=1\n' })
  })
})

describe('the jobs for GitLab', () => {
  const job = z.object({
    extends: z.string().optional(),
    script: z.array(z.string()).optional(),
    rules: z.array(z.object({ if: z.string() })).optional(),
    artifacts: z.looseObject({ reports: z.record(z.string(), z.string()), paths: z.array(z.string()) }).optional(),
  })
  const read = async () => {
    const text = await readFile(join(root, '.gitlab/perfdb.gitlab-ci.yml'), 'utf8')
    const [document] = parseAllDocuments(text)
    expect(document?.errors).toEqual([])
    return z.record(z.string(), job).parse(parse(text))
  }

  test('on a merge request, after the merge, every night: each writes what the template keeps', async () => {
    const jobs = await read()
    const { artifacts } = jobs['.perfdb'] ?? {}
    const kept = [...(artifacts?.paths ?? []), ...Object.values(artifacts?.reports ?? {})]
    expect(kept.length).toBe(4)
    const names = Object.keys(jobs).filter((name) => !name.startsWith('.'))
    expect(names).toEqual(['perfdb:check-pool', 'perfdb:plan', 'perfdb:apply', 'perfdb:verify'])
    for (const name of names) {
      expect(jobs[name]?.extends).toBe('.perfdb')
      const done = await bash(`set -eo pipefail\n${jobs[name]?.script?.join('\n')}`, { DATABASE_URL: database.url })
      expect([name, done.code, done.stderr.includes('error')]).toEqual([name, 0, false])
      for (const file of kept) expect(await readFile(join(home.path, file), 'utf8')).not.toBe('')
      expect(JSON.parse(await readFile(join(home.path, 'perfdb.json'), 'utf8'))).toMatchObject({
        command: name.slice(7),
      })
    }
  })
})

test('the workflow of docs/ci.md uses the inputs that the action has', async () => {
  const readme = await readFile(join(root, 'docs', 'ci.md'), 'utf8')
  const [, source = ''] = /```yaml\n(# \.github\/workflows\/perfdb\.yml[^]*?)```/.exec(readme) ?? []
  const workflow = z.object({
    jobs: z.object({
      perfdb: z.looseObject({
        steps: z.array(
          z.looseObject({ uses: z.string().optional(), with: z.record(z.string(), z.string()).optional() }),
        ),
      }),
    }),
  })
  const { steps } = workflow.parse(parse(source)).jobs.perfdb
  const used = steps.filter(({ uses }) => uses === './.github/actions/perfdb').map((step) => step.with ?? {})
  expect(used.map(({ command }) => command)).toEqual(['check-pool', 'plan', 'apply', 'verify'])
  const declared = z
    .object({ inputs: z.record(z.string(), z.unknown()) })
    .parse(parse(await readFile(join(root, '.github/actions/perfdb/action.yml'), 'utf8')))
  for (const inputs of used) expect(Object.keys(declared.inputs)).toEqual(expect.arrayContaining(Object.keys(inputs)))
})
