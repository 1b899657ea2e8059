import type { PoolSample } from '../../result/documents/pool-result.js'
import { visible } from '../text/width.js'

/** `2026-01-02T03:04:05Z  main  45 of 97 sessions  52 left  OK`, with the connections busy on average since the look before: one line a look, whatever the server is called. */
export function sampleLine({
  at,
  server,
  sessions,
  available,
  headroom,
  verdict,
  erlangs,
  message,
}: PoolSample): string {
  const time = at.replace(/\.\d+Z$/, 'Z')
  const counts =
    sessions === null
      ? (message ?? 'not asked')
      : `${String(sessions).padStart(4)} of ${available ?? '?'} sessions  ${String(headroom ?? '?').padStart(4)} left`
  const load = erlangs === undefined ? '' : `  ${erlangs.toFixed(1).padStart(5)} busy`
  return visible(`${time}  ${server}  ${counts}${load}  ${verdict}`)
}
