import { spawn, type ChildProcess } from 'node:child_process'
import { mkdir, readFile, symlink } from 'node:fs/promises'
import { join } from 'node:path'
import { parse } from 'yaml'
import { z } from '../../src/yaml/schema.js'
import { ended, folder, type Ended, type Folder } from '../cli/perfdb.js'

const root = join(import.meta.dirname, '../..')

const action = z.object({
  inputs: z.record(z.string(), z.object({ default: z.string().optional() })),
  runs: z.object({
    steps: z.array(z.object({ run: z.string().optional(), env: z.record(z.string(), z.string()).optional() })),
  }),
})

/** A project as it is on a runner, with perfdb installed in `at` unless `bare`. */
export async function project(
  files: Readonly<Record<string, string>>,
  { bare = false, at = '' } = {},
): Promise<Folder> {
  const home = await folder(files)
  if (!bare) {
    await mkdir(join(home.path, at, 'node_modules/.bin'), { recursive: true })
    await symlink(join(root, 'bin/perfdb.js'), join(home.path, at, 'node_modules/.bin/perfdb'))
  }
  return home
}

export interface Step {
  readonly child: ChildProcess
  readonly done: Promise<Ended & { readonly output: string; readonly summary: string }>
}

/** The action's script as GitHub's runner starts it: `bash --noprofile --norc -eo pipefail`, in a process group of its own. */
export async function actionStep(home: Folder, inputs: Readonly<Record<string, string>>): Promise<Step> {
  const text = await readFile(join(root, '.github/actions/perfdb/action.yml'), 'utf8')
  const { inputs: declared, runs } = action.parse(parse(text))
  const [step] = runs.steps
  if (step?.run === undefined || step.env === undefined) throw new Error('no script')
  const env = Object.entries(step.env).map(([name, value]) => [
    name,
    value.replace(
      /\$\{\{ inputs\.([\w-]+) \}\}/,
      (_, input: string) => inputs[input] ?? declared[input]?.default ?? '',
    ),
  ])
  const files = { GITHUB_OUTPUT: join(home.path, '.output'), GITHUB_STEP_SUMMARY: join(home.path, '.summary') }
  await home.write({ '.output': '', '.summary': '', '.step.sh': step.run })
  const child = spawn('bash', ['--noprofile', '--norc', '-eo', 'pipefail', '.step.sh'], {
    cwd: home.path,
    env: { ...runnerEnvironment(home), ...Object.fromEntries(env), ...files, GITHUB_WORKSPACE: home.path },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  const done = ended(child).then(async (outcome) => ({
    ...outcome,
    output: await readFile(files.GITHUB_OUTPUT, 'utf8'),
    summary: await readFile(files.GITHUB_STEP_SUMMARY, 'utf8'),
  }))
  return { child, done }
}

/** The script lines of a GitLab job, as its runner's shell gets them. */
export async function gitlabJob(
  home: Folder,
  job: string,
  environment: Readonly<Record<string, string>>,
): Promise<{ readonly child: ChildProcess; readonly done: Promise<Ended> }> {
  const jobs = z
    .record(z.string(), z.unknown())
    .parse(parse(await readFile(join(root, '.gitlab/perfdb.gitlab-ci.yml'), 'utf8')))
  const { script } = z.looseObject({ script: z.array(z.string()) }).parse(jobs[job])
  await home.write({ '.job.sh': script.join('\n') })
  const child = spawn('bash', ['-eo', 'pipefail', '.job.sh'], {
    cwd: home.path,
    env: { ...runnerEnvironment(home), CI_PROJECT_DIR: home.path, ...environment },
    stdio: ['ignore', 'pipe', 'pipe'],
    detached: true,
  })
  return { child, done: ended(child) }
}

/** Sends a signal to the shell alone, or to its whole process group. */
export function send(child: ChildProcess, signal: NodeJS.Signals, to: 'shell' | 'group'): void {
  if (child.pid === undefined) throw new Error('not started')
  process.kill(to === 'group' ? -child.pid : child.pid, signal)
}

function runnerEnvironment(home: Folder): Record<string, string> {
  return {
    PATH: process.env['PATH'] ?? '',
    HOME: home.path,
    LANG: 'C.UTF-8',
    CI: 'true',
    RUNNER_TEMP: home.path,
    npm_config_offline: 'true',
  }
}
