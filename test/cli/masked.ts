/**
 * A text without what differs from run to run: times, sizes, ports, pids, versions, names of test databases and folders.
 * Runs of spaces and rules become one, since their width follows what was masked.
 */
export function masked(text: string, ...secrets: readonly string[]): string {
  return secrets
    .reduce((shorter, secret) => shorter.replaceAll(secret, '<...>'), text)
    .replace(/\bt_[0-9a-f]{12}\b/g, '<database>')
    .replace(/127\.0\.0\.1:\d+/g, '127.0.0.1:<port>')
    .replace(/"port": \d+/g, '"port": <port>')
    .replace(/PostgreSQL \d+(\.\d+)?/g, 'PostgreSQL <version>')
    .replace(/"version": "[^"]*"/g, '"version": "<version>"')
    .replace(/"version_num": \d+/g, '"version_num": <version>')
    .replace(/"perfdb": "[^"]*"/g, '"perfdb": "<version>"')
    .replace(/"(\w+_(?:ms|bytes))": [\d.]+/g, '"$1": <number>')
    .replace(/"fingerprint": "\w+"/g, '"fingerprint": "<hash>"')
    .replace(/\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?)?( ?Z| UTC)?/g, '<moment>')
    .replace(/\bpid \d+/g, 'pid <pid>')
    .replace(/\b[0-9a-f]{64}\b/g, '<hash>')
    .replace(/\(\d[\d.]*-\d[\d.]*\)/g, '(<interval>)')
    .replace(/\d+(\.\d+)? %/g, '<percent>')
    .replace(/\d+(\.\d+)? (µs|ms|s|min)\b/g, '<time>')
    .replace(/~?\d+(\.\d+)? (B|kB|MB|GB)\b/g, '<size>')
    .replace(/─+|-{4,}/g, '----')
    .replace(/(?<=\S) {2,}/g, '  ')
    .replace(/[ \t]+$/gm, '')
}
