/** All of the command line but its version, which start/start.ts tells alone. */
async function run(): Promise<void> {
  const { runCommandLine } = await import('./program.js')
  process.exitCode = await runCommandLine()
}

void run()
