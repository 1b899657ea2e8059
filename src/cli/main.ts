import { perfdbVersion } from '../result/version.js'

/*
 * Start-up is part of the product: the version needs no package at all, help needs commander alone, and every command
 * loads what it needs when it runs.
 */
const [only, more] = process.argv.slice(2)
if (more === undefined && (only === '--version' || only === '-V' || only === 'version')) printVersion()
else void run()

function printVersion(): void {
  process.stdout.on('error', ({ code }: NodeJS.ErrnoException) => (process.exitCode = code === 'EPIPE' ? 0 : 2))
  process.stdout.write(`${perfdbVersion()}\n`)
}

async function run(): Promise<void> {
  const { runCommandLine } = await import('./program.js')
  process.exitCode = await runCommandLine(process.argv)
}
