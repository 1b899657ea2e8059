import type { RunEvent } from '../../build/events.js'
import { asWritten } from '../../profile/as-written.js'
import type { Profile } from '../../profile/profile.js'
import { shownDocument, shownError } from '../../result/shown.js'
import type { Invocation } from '../../settings/invocation.js'

/** The work on these profiles: its events, its result and its error have `${NAME}` where the profiles have it in their SQL. */
export async function shownAs<R>(
  profiles: readonly Pick<Profile, 'filled'>[],
  invocation: Invocation,
  work: (given: Invocation) => Promise<R>,
): Promise<R> {
  if (profiles.every(({ filled }) => filled === undefined)) return work(invocation)
  const shown = asWritten(profiles)
  const listener = (event: RunEvent) => invocation.listener(shownDocument(event, shown))
  try {
    return shownDocument(await work({ ...invocation, listener }), shown)
  } catch (error) {
    throw shownError(error, shown)
  }
}
