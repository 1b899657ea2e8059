import { join } from 'node:path'

/** The user's folder for what can be made again, as the platform has it: XDG_CACHE_HOME, else ~/.cache; ~/Library/Caches; LOCALAPPDATA. */
export function userCache(environment: Readonly<Record<string, string | undefined>>, home: string): string {
  const { XDG_CACHE_HOME, LOCALAPPDATA } = environment
  if (XDG_CACHE_HOME !== undefined && XDG_CACHE_HOME !== '') return XDG_CACHE_HOME
  if (process.platform === 'darwin') return join(home, 'Library', 'Caches')
  if (process.platform === 'win32') return LOCALAPPDATA || join(home, 'AppData', 'Local')
  return join(home, '.cache')
}
