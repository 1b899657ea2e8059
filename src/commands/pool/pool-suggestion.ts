import { changesOf, suggest } from '../../pools/judge/suggest.js'
import { suggestionYaml } from '../../pools/judge/suggest-yaml.js'
import type { PoolResult } from '../../result/documents/pool-result.js'
import type { Judgement } from './pool-judge.js'

/** Sizes for the deployment as it was judged, and what `judgeWith` says of them: the same judgement as that of the file. */
export function suggestionDocument(
  judgement: Judgement,
  judgeWith: (changes: readonly string[]) => Judgement,
): NonNullable<PoolResult['suggestion']> {
  const suggested = suggest(
    judgement.deployment,
    judgement.servers.map(({ budget }) => budget),
  )
  const sizes = [...new Map(suggested.flatMap((one) => one.sizes).map((size) => [size.name, size])).values()]
  const changes = changesOf(sizes)
  const after = changes.length === 0 ? judgement : judgeWith(changes)
  return {
    servers: suggested.map(({ server, connections, sizes: own, reason }) => ({
      name: server,
      connections,
      sizes: own.map(({ name, key, from, to }) => ({ name, key, from, to })),
      peak: after.servers.find(({ budget }) => budget.server.name === server)?.budget.total.peak ?? 0,
      reason,
    })),
    what_if: [...changes],
    yaml: suggestionYaml(sizes),
    verdict: after.verdict,
  }
}
