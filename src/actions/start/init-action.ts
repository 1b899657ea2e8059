import { PerfdbError } from '../../errors.js'
import type { InitResult } from '../../result/documents/init-result.js'
import type { Invocation } from '../../settings/invocation.js'

/** `init` writes the first files, `init pools FILE...` a pools file from what applications have. Throws BAD_OPTION for anything else. */
export async function runInitAction({ cwd }: Invocation, [what, ...files]: readonly string[]): Promise<InitResult> {
  if (what === 'pools') {
    const { runInitPools } = await import('../../commands/start/init-pools.js')
    return runInitPools(cwd, files)
  }
  if (what !== undefined)
    throw new PerfdbError('BAD_OPTION', `init ${what}: there is nothing of that name to write`, {
      hint: 'perfdb init, or perfdb init pools docker-compose.yml pgbouncer.ini',
    })
  const { runInit } = await import('../../commands/start/init.js')
  return runInit(cwd)
}
