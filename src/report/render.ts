import type { Block } from './block/block.js'
import type { Layout } from './block/layout.js'
import { type Result, isError, isFleet } from '../result/results.js'
import type { Format } from '../options/rows/formats.js'
import { inert } from './machine/log-commands.js'

/**
 * The document in one of the formats, ending with a newline; sql is a plan's script and prometheus the metrics of check-pool and of many tenants, of any other document the text. Pure; a promise only because each format and command is loaded
 * when it is first needed (chalk and cli-table3 together cost 20 ms). Never throws for a document of the published schema.
 */
export async function render(result: Result, format: Format, layout: Layout): Promise<string> {
  const text = await rendered(result, format, layout)
  // The profile that import prints is a file.
  return result.command === 'import' && format === 'text' && !isError(result) ? text : inert(text, format)
}

async function rendered(result: Result, format: Format, layout: Layout): Promise<string> {
  switch (format) {
    case 'json':
      return `${JSON.stringify(result, null, 2)}\n`
    case 'sql':
      if (result.command === 'plan' && !isError(result) && !isFleet(result))
        return (await import('./blocks/plan-sql.js')).planSql(result)
      return rendered(result, 'text', layout)
    case 'prometheus':
      if (isFleet(result)) return (await import('./machine/prometheus-fleet.js')).fleetMetrics(result)
      if (result.command === 'check-pool' && !isError(result))
        return (await import('./machine/prometheus.js')).renderPrometheus(result)
      return rendered(result, 'text', layout)
    case 'text': {
      if (result.command === 'import' && !isError(result))
        return (await import('./blocks/import.js')).importText(result)
      const { renderText } = await import('./text/text.js')
      const { helpMention } = await import('./machine/help-mention.js')
      return renderText([...(await blocksOf(result, layout)), ...helpMention(result)], layout)
    }
    case 'markdown': {
      const { renderMarkdown } = await import('./page/markdown.js')
      const page = renderMarkdown(result.command, result.ok, await blocksOf(result, { ...layout, unicode: true }))
      if (result.command !== 'import' || isError(result)) return page
      return page + (await import('./page/markdown.js')).importMarkdown(result)
    }
    case 'html': {
      const { renderHtml } = await import('./page/html.js')
      // A page has room and can fold: it holds everything.
      return renderHtml(result, await blocksOf(result, { ...layout, unicode: true, verbose: true }))
    }
    case 'jsonl':
      return (await import('./machine/jsonl.js')).renderJsonLines(result)
    case 'junit':
      return (await import('./machine/junit.js')).renderJunit(result)
    case 'sarif':
      return (await import('./machine/sarif.js')).renderSarif(result)
    case 'github':
      return (await import('./machine/github.js')).renderGithub(result, await headlineOf(result, layout))
    case 'gitlab':
      return (await import('./machine/gitlab.js')).renderGitlab(result)
  }
}

/** The verdict that the text begins with; of an error its message stands in the annotation. */
async function headlineOf(result: Result, layout: Layout): Promise<string> {
  const verdict = isError(result) ? undefined : (await blocksOf(result, layout)).find(({ kind }) => kind === 'verdict')
  return verdict?.kind === 'verdict' ? verdict.text : ''
}

async function blocksOf(result: Result, layout: Layout): Promise<readonly Block[]> {
  if (isError(result)) return (await import('./blocks/error.js')).errorBlocks(result)
  if (isFleet(result)) return (await import('./blocks/fleet.js')).fleetBlocks(result, layout)
  switch (result.command) {
    case 'plan':
      return (await import('./blocks/plan.js')).planBlocks(result, layout)
    case 'verify':
      return (await import('./blocks/plan.js')).verifyBlocks(result, layout)
    case 'apply':
    case 'rollback':
      return (await import('./blocks/apply.js')).applyBlocks(result, layout)
    case 'explain':
      return (await import('./blocks/explain.js')).explainBlocks(result)
    case 'compare':
      return (await import('./blocks/compare.js')).compareBlocks(result)
    case 'advise':
      return (await import('./blocks/advise.js')).adviseBlocks(result, layout)
    case 'load':
      return (await import('./blocks/load.js')).loadBlocks(result)
    case 'statistics':
      return (await import('./blocks/statistics.js')).statisticsBlocks(result)
    case 'check-pool':
      return (await import('./blocks/pool.js')).poolBlocks(result, layout.verbose)
    case 'demo':
      return (await import('./blocks/demo.js')).demoBlocks(result, layout)
    case 'config':
      return (await import('./blocks/config.js')).configBlocks(result)
    case 'init':
      return (await import('./blocks/init.js')).initBlocks(result)
    case 'doctor':
      return (await import('./blocks/doctor.js')).doctorBlocks(result)
    case 'status':
      return (await import('./blocks/status.js')).statusBlocks(result, layout)
    case 'history':
      return (await import('./blocks/history.js')).historyBlocks(result, layout)
    case 'import':
      return (await import('./blocks/import.js')).importBlocks(result)
  }
}
