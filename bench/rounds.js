import { spawn } from 'node:child_process'
import { readFile } from 'node:fs/promises'

/*
 * Noise of a shared machine comes in waves: what is compared runs in turns, round by round, and medians are told as
 * ratios. Absolute times mean little elsewhere.
 */

/** Runs each contender once a round; milliseconds (or whatever a contender returns) by name. */
export async function inRounds(rounds, contenders) {
  const taken = Object.fromEntries(Object.keys(contenders).map((name) => [name, []]))
  for (let round = 0; round < rounds; round += 1) {
    // The first of a round is another one each time.
    const names = Object.keys(contenders)
    for (let turn = 0; turn < names.length; turn += 1) {
      const name = names[(turn + round) % names.length]
      taken[name].push(await contenders[name]())
    }
  }
  return taken
}

export function median(values) {
  const sorted = values.toSorted((one, other) => one - other)
  const middle = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2
}

/** Milliseconds from start to end of a program; its exit code must be one of `codes`. */
export async function timed(program, args, { environment = {}, cwd, codes = [0] } = {}) {
  const start = performance.now()
  const child = spawn(program, args, { cwd, env: bare(environment), stdio: ['ignore', 'ignore', 'pipe'] })
  let stderr = ''
  child.stderr.on('data', (chunk) => (stderr += chunk))
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  if (!codes.includes(code)) throw new Error(`${args.slice(0, 2).join(' ')} ended with ${code}: ${stderr}`)
  return performance.now() - start
}

/** As `timed`, with the peak of the program's own memory in bytes: VmHWM of Linux, null elsewhere. */
export async function timedWithMemory(program, args, { environment = {}, cwd } = {}) {
  const start = performance.now()
  const child = spawn(program, args, { cwd, env: bare(environment), stdio: 'ignore' })
  let peak = null
  const look = async () => {
    const status = await readFile(`/proc/${child.pid}/status`, 'utf8').catch(() => '')
    const kilobytes = /^VmHWM:\s+(\d+)/m.exec(status)?.[1]
    if (kilobytes !== undefined) peak = Number(kilobytes) * 1024
  }
  const timer = setInterval(() => void look(), 100)
  const code = await new Promise((resolve, reject) => {
    child.once('error', reject)
    child.once('close', resolve)
  })
  clearInterval(timer)
  if (code !== 0) throw new Error(`${args.slice(0, 2).join(' ')} ended with ${code}`)
  return { ms: performance.now() - start, peakBytes: peak }
}

/** NODE_EXTRA_CA_CERTS alone costs each start of Node 50 ms; PG* variables would steer psql. */
function bare(more) {
  const kept = Object.entries(process.env).filter(([name]) => !/^(NODE_|PG|PERFDB_|DATABASE_URL$)/.test(name))
  return { ...Object.fromEntries(kept), ...more }
}
