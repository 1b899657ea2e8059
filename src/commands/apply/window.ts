import type { Session } from '../../server/session/session.js'
import type { Window } from '../../options/window.js'

/** True when a minute of the day lies in the window, its end excluded. */
export function within({ fromMinute, toMinute }: Window, minute: number): boolean {
  return fromMinute <= toMinute ? minute >= fromMinute && minute < toMinute : minute >= fromMinute || minute < toMinute
}

/**
 * Why no build may be started now, by the server's clock in the time zone that its configuration names (this session's own is pinned
 * to UTC); null when one may.
 */
export async function windowRefusal(session: Session, window: Window | null): Promise<string | null> {
  if (window === null) return null
  const [row] = await session.query<{ minute: number; text: string }>(
    `select extract(hour from now)::int * 60 + extract(minute from now)::int as minute, pg_catalog.to_char(now, 'HH24:MI') || ' ' || zone as text
     from (select pg_catalog.timezone(zone, pg_catalog.clock_timestamp()) as now, zone
           from (select coalesce(pg_catalog.max(reset_val), 'UTC') as zone from pg_catalog.pg_settings where name = 'TimeZone') as configured) as clock`,
  )
  if (row === undefined || within(window, row.minute)) return null
  return `outside the window ${window.text}: it is ${row.text} on the server`
}
