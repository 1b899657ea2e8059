import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { timedWithMemory } from './rounds.js'
import { perfdb } from './server.js'

/** The whole demo: load, measure, build, measure. */
export async function demo({ quick }) {
  const scale = quick ? 0.02 : 1
  const cwd = mkdtempSync(join(tmpdir(), 'perfdb-bench-'))
  try {
    const args = [perfdb, 'demo', '--scale', String(scale), '--out', join(cwd, 'report.html'), '--format', 'json']
    const { ms, peakBytes } = await timedWithMemory(process.execPath, args, { cwd })
    return {
      title: `perfdb demo --scale ${scale}`,
      note: 'memory is that of perfdb itself, without the server',
      columns: ['', 'value'],
      rows: [
        ['time', `${(ms / 1000).toFixed(0)} s`],
        ['peak memory', peakBytes === null ? 'not known here' : `${(peakBytes / 1024 ** 2).toFixed(0)} MB`],
      ],
    }
  } finally {
    rmSync(cwd, { recursive: true })
  }
}
