import { spawn, type ChildProcess } from 'node:child_process'

/**
 * A shell that reads a pipe, which ends when this process ends, however it ends; then it stops what it was told of last, the group of
 * initdb (`-123`) or the server (`123`), and removes the folder until it stays away: what was killed may be in the middle of a write.
 * When the server is disposed of in the ordinary way the guard goes first.
 */
export function startGuard(folder: string): ChildProcess | undefined {
  if (process.platform === 'win32') return undefined
  const script = `while read -r line; do pid=$line; done
    case "$pid" in
      -?*) kill -KILL -- "$pid" ;;
      ?*) kill -INT "$pid"; while kill -0 "$pid"; do sleep 0.1; done ;;
    esac
    gone=0; tries=0
    while [ $gone -lt 3 ] && [ $tries -lt 120 ]; do
      if [ -e "$1" ]; then gone=0; rm -rf "$1"; else gone=$((gone + 1)); fi
      tries=$((tries + 1)); sleep 0.5
    done`
  const guard = spawn('sh', ['-c', script, 'perfdb-guard', folder], {
    cwd: '/',
    detached: true,
    stdio: ['pipe', 'ignore', 'ignore'],
  })
  guard.stdin.on('error', () => undefined)
  guard.unref()
  return guard
}
