import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inRounds, median, timed } from './rounds.js'
import { parse } from 'yaml'
import { jobShop, jobShopPools, perfdb } from './server.js'

/** What starting costs, against Node that does nothing. */
export async function startup({ quick }) {
  const cwd = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
  const node = (args, codes, environment) => () => timed(process.execPath, args, { cwd, codes, environment })
  try {
    const wrong = join(cwd, 'wrong.yaml')
    writeFileSync(wrong, (await readFile(jobShop, 'utf8')).replace('indexes:', 'indices: 1\nindexes:'))
    const contenders = {
      'node -e 0': node(['-e', '0']),
      'perfdb --version': node([perfdb, '--version']),
      'perfdb --help': node([perfdb, '--help']),
      'perfdb plan, 31 indexes and a mistake found': node([perfdb, 'plan', wrong], [2]),
      'the same without kept code': node([perfdb, 'plan', wrong], [2], { PERFDB_CODE_CACHE: '0' }),
      'perfdb check-pool --offline': node([perfdb, 'check-pool', '--offline', jobShopPools], [0, 1]),
    }
    Object.assign(contenders, await aroundAction(cwd))
    await inRounds(2, contenders)
    const taken = await inRounds(quick ? 9 : 41, contenders)
    const bare = median(taken['node -e 0'])
    const goals = [null, 1.5, 2, 3.8, null, 3.8, null, null]
    return {
      title: 'Start-up',
      note: 'times are of the whole run of a program, from start to end; the action may add 1,000 ms to perfdb with the same reports',
      columns: ['', 'ms', 'x node', 'at most'],
      rows: Object.entries(taken).map(([name, times], at) => [
        name,
        median(times).toFixed(0),
        (median(times) / bare).toFixed(2),
        goals[at] === null ? '' : String(goals[at]),
      ]),
    }
  } finally {
    rmSync(cwd, { recursive: true })
  }
}

/** perfdb as the action calls it, and the action's own script around it, where perfdb is installed in the project. */
async function aroundAction(cwd) {
  const { runs } = parse(await readFile(new URL('../.github/actions/perfdb/action.yml', import.meta.url), 'utf8'))
  const [{ run }] = runs.steps
  mkdirSync(join(cwd, 'node_modules/.bin'), { recursive: true })
  symlinkSync(perfdb, join(cwd, 'node_modules/.bin/perfdb'))
  writeFileSync(join(cwd, 'step.sh'), run)
  const files = { GITHUB_OUTPUT: join(cwd, 'output'), GITHUB_STEP_SUMMARY: join(cwd, 'summary') }
  const reports = ['html', 'sarif', 'junit', 'json'].flatMap((format) => [
    '--report',
    `${format}=${join(cwd, `perfdb.${format}`)}`,
  ])
  const environment = {
    ...files,
    RUN_COMMAND: 'check-pool',
    RUN_ARGUMENTS: `--offline ${jobShopPools}`,
    RUN_URL: '',
    RUN_VERSION: '',
    RUN_DIRECTORY: '.',
    RUN_REPORTS: 'reports',
  }
  const args = ['check-pool', '--offline', jobShopPools, '--format', 'github', ...reports]
  return {
    'perfdb check-pool with four reports': async () =>
      timed(process.execPath, [perfdb, ...args], { cwd, codes: [0, 1], environment: files }),
    'the same in the action': async () =>
      timed('bash', ['--noprofile', '--norc', '-eo', 'pipefail', 'step.sh'], { cwd, codes: [0, 1], environment }),
  }
}
