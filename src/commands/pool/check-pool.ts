import { readLive, usualSampling } from '../../pools/server/live.js'
import type { PoolFinding, PoolsFile, Verdict } from '../../pools/sums/model.js'
import { mergeEstates } from '../../pools/file/resolve.js'
import { exitCode, type Ending } from '../../result/exit-code.js'
import { poolFindingDocument, serverDocument } from './pool-documents.js'
import { judgeEstate, worst, type Looked } from './pool-judge.js'
import { askConsoles, connectionsTo, lookAt, oneLookByUrl, type LookOptions } from './pool-look.js'
import { suggestionDocument } from './pool-suggestion.js'
import type { PoolResult } from '../../result/documents/pool-result.js'
import { headOf } from '../../result/head.js'

export interface CheckPoolOptions extends LookOptions {
  /** The verdict from which on the exit code is 1. */
  readonly failOn: 'fail' | 'warn'
  /** `api.instances=6`: judged with these changes, told beside what is declared. */
  readonly whatIf?: readonly string[]
  /** Divides the connections of each server, and judges that. */
  readonly suggest?: boolean
}

/**
 * Adds up every pool against what each server leaves, with one connection to each server that has a url (or is the one that --url means). A
 * server that is full is a verdict (FAIL, SERVER_FULL); one that was to be asked and was not, because it cannot be reached or nothing names its
 * url (NOT_ASKED), is UNKNOWN, and with `offline` the numbers of the file count. Exit code 0 for OK and WARN, 1 for FAIL and UNKNOWN (WARN
 * with failOn warn): what nobody looked at never passes. Throws BAD_OPTION, and nothing of a connection.
 */
export async function runCheckPool(files: readonly PoolsFile[], options: CheckPoolOptions): Promise<PoolResult> {
  const { servers, poolers } = mergeEstates(files)
  const connections = connectionsTo(servers, options)
  const sampling = options.sampling ?? usualSampling
  const [looks, consoles] = await Promise.all([
    oneLookByUrl(servers, async (server) =>
      lookAt(server, connections.get(server.name) ?? null, async (session) => readLive(session, sampling)),
    ),
    askConsoles(poolers, options),
  ])
  return poolDocument(files, { looks, consoles }, options)
}

/** The document of what was looked at. Throws BAD_OPTION for a change that cannot be made. */
export function poolDocument(
  files: readonly PoolsFile[],
  looked: Looked,
  options: Pick<CheckPoolOptions, 'failOn' | 'offline' | 'whatIf' | 'suggest'>,
  signal?: Ending['signal'],
): PoolResult {
  const written = mergeEstates(files)
  const { whatIf = [] } = options
  const judgement = judgeEstate(written, looked, whatIf)
  const before = whatIf.length === 0 ? null : judgeEstate(written, looked)
  const fromFiles = [...files.flatMap((file) => file.findings), ...notAsked(looked, options)]
  const has = (severity: PoolFinding['severity']) => fromFiles.some((finding) => finding.severity === severity)
  const ofFiles = has('error') ? 'FAIL' : has('warning') ? 'UNKNOWN' : 'OK'
  const verdict = worst([judgement.verdict, ofFiles])
  const code = exitCodeOf(verdict, options.failOn, signal)
  return {
    ...headOf(code),
    command: 'check-pool',
    files: files.map((file) => file.file),
    offline: looked.looks.every((look) => look.state === 'not_asked'),
    verdict,
    ...(whatIf.length > 0 && { what_if: [...whatIf], changed: judgement.changed.map((one) => ({ ...one })) }),
    servers: judgement.servers.map((server, at) =>
      serverDocument(server.budget, judgement.deployment, server.verdict, before?.servers[at]),
    ),
    ...(options.suggest === true && {
      suggestion: suggestionDocument(judgement, (sizes) => judgeEstate(written, looked, [...whatIf, ...sizes])),
    }),
    findings: [...fromFiles, ...judgement.findings].map(poolFindingDocument),
  }
}

/** Offline is a choice and needs no word. Otherwise a server without a url may be a variable that a pipeline did not get: the verdict is UNKNOWN. */
function notAsked({ looks }: Looked, { offline }: { readonly offline: boolean }): readonly PoolFinding[] {
  const left = looks.filter((look) => look.state === 'not_asked').map((look) => look.server)
  const [first] = left
  if (offline || first === undefined) return []
  const names = left.slice(0, 10).map((server) => server.name)
  const was = left.length === 1 ? 'was' : 'were'
  return [
    {
      code: 'NOT_ASKED',
      severity: 'warning',
      message: `${names.join(', ')}${left.length > 10 ? ` and ${left.length - 10} more` : ''} ${was} not asked: ${left.length === 1 ? 'it has no url, and neither --url nor DATABASE_URL is given' : 'they have no url'}`,
      hint: `${left.length === 1 ? '--url, or url: ${NAME_OF_A_VARIABLE}' : 'url: ${NAME_OF_A_VARIABLE}'} in the file; --offline takes the numbers of the file`,
      place: first.place,
    },
  ]
}

function exitCodeOf(verdict: Verdict, failOn: CheckPoolOptions['failOn'], signal: Ending['signal']): number {
  switch (verdict) {
    case 'OK':
      return exitCode({ signal })
    case 'WARN':
      return exitCode({ signal, refusals: failOn === 'warn' ? 1 : 0 })
    case 'FAIL':
    case 'UNKNOWN':
      return exitCode({ signal, refusals: 1 })
  }
}
