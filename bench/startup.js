import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { readFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { inRounds, median, timed } from './rounds.js'
import { jobShop, jobShopPools, perfdb } from './server.js'

/** What starting costs, against Node that does nothing. */
export async function startup({ quick }) {
  const cwd = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
  const node = (args, codes) => () => timed(process.execPath, args, { cwd, codes })
  try {
    const wrong = join(cwd, 'wrong.yaml')
    writeFileSync(wrong, (await readFile(jobShop, 'utf8')).replace('indexes:', 'indices: 1\nindexes:'))
    const contenders = {
      'node -e 0': node(['-e', '0']),
      'perfdb --version': node([perfdb, '--version']),
      'perfdb --help': node([perfdb, '--help']),
      'perfdb plan, 31 indexes and a mistake found': node([perfdb, 'plan', wrong], [2]),
      'perfdb check-pool --offline': node([perfdb, 'check-pool', '--offline', jobShopPools], [0, 1]),
    }
    await inRounds(2, contenders)
    const taken = await inRounds(quick ? 15 : 41, contenders)
    const bare = median(taken['node -e 0'])
    const goals = [null, 1.5, 2, 3.8, 3.8]
    return {
      title: 'Start-up',
      note: 'times are of the whole run of a program, from start to end',
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
