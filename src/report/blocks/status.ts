import type { StatusResult } from '../../result/documents/result.js'
import type { Block, Cell, Item, Tone } from '../block/block.js'
import { findingBlocks } from '../block/findings.js'
import type { Layout } from '../block/layout.js'
import { serverText } from './steps.js'
import { duration, moment, several } from '../../text/amounts.js'

/** Builds under way with who blocks them, then the last runs of the ledger, newest first as the document has them. */
export function statusBlocks(result: StatusResult, layout: Layout): Block[] {
  const runs = layout.verbose ? result.runs : result.runs.slice(0, 20)
  return [
    { kind: 'verdict', tone: statusTone(result), text: statusVerdict(result) },
    { kind: 'text', tone: 'quiet', text: serverText(result.server) },
    buildGrid(result),
    { kind: 'items', title: '', items: result.builds.flatMap(blockerItems) },
    runGrid(runs),
    {
      kind: 'text',
      tone: 'quiet',
      text:
        runs.length < result.runs.length
          ? `and ${several(result.runs.length - runs.length, 'older run')}: --verbose shows all`
          : '',
    },
    { kind: 'text', tone: 'quiet', text: ownedText(result.owned) },
    ...findingBlocks(result.findings),
  ]
}

/** `Built by perfdb: shop 12 indexes (1 is gone), billing 3`. */
function ownedText(owned: StatusResult['owned'] = []): string {
  if (owned.length === 0) return ''
  const parts = owned.map(({ profile, indexes, gone }) => {
    const left = gone === 0 ? '' : ` (${gone} ${gone === 1 ? 'is' : 'are'} gone)`
    return `${profile} ${several(indexes, 'index', 'indexes')}${left}`
  })
  return `Built by perfdb: ${parts.join(', ')}.`
}

function statusVerdict(result: StatusResult): string {
  const blocked = result.builds.filter((build) => build.blockers.length > 0).length
  const builds =
    result.builds.length === 0
      ? 'no build under way'
      : `${several(result.builds.length, 'build')} under way${blocked === 0 ? '' : `, ${blocked} blocked`}`
  const last = result.runs[0]
  const ledger = !result.ledger
    ? 'no ledger in this database'
    : last === undefined
      ? 'no runs yet'
      : `last run ${last.run} ${last.outcome} at ${moment(last.started_at)}`
  return `${builds}; ${ledger}`
}

function statusTone(result: StatusResult): Tone {
  if (!result.ok) return 'bad'
  return result.builds.some((build) => build.blockers.length > 0) ? 'warn' : 'good'
}

function buildGrid(result: StatusResult): Block {
  return {
    kind: 'grid',
    title: 'Builds under way',
    columns: [
      { head: 'pid', kind: 'number' },
      { head: 'index', kind: 'name', floor: 16 },
      { head: 'table', kind: 'name', floor: 10, drop: 2 },
      { head: 'phase', kind: 'prose', floor: 32 },
      { head: 'done', kind: 'number' },
      { head: 'age', kind: 'number' },
      { head: 'by', kind: 'name', floor: 8, drop: 1 },
    ],
    rows: result.builds.map((build): Cell[] => [
      { text: String(build.pid) },
      { text: build.index ?? '?' },
      { text: build.table },
      { text: build.phase },
      { text: build.percent === null ? '' : `${Math.round(build.percent)} %` },
      { text: duration(build.age_ms) },
      { text: [build.user, build.application_name].filter((part) => part !== null && part !== '').join(', ') },
    ]),
  }
}

function blockerItems(build: StatusResult['builds'][number]): Item[] {
  return build.blockers.map((blocker) => ({
    tone: 'warn',
    label: 'blocked',
    text: `${build.index ?? build.table} (pid ${build.pid}) waits for ${blocker}`,
    details: [],
  }))
}

function runGrid(runs: StatusResult['runs']): Block {
  return {
    kind: 'grid',
    title: 'Runs',
    columns: [
      { head: 'run', kind: 'number' },
      { head: 'command', kind: 'word', drop: 5 },
      { head: 'started', kind: 'word' },
      { head: 'took', kind: 'number', drop: 4 },
      { head: 'outcome', kind: 'name', floor: 10 },
      { head: 'built', kind: 'number', drop: 3 },
      { head: 'dropped', kind: 'number', drop: 2 },
      { head: 'failed', kind: 'number' },
      { head: 'by', kind: 'name', floor: 8, drop: 1 },
    ],
    rows: runs.map((run): Cell[] => [
      { text: String(run.run) },
      { text: run.command },
      { text: moment(run.started_at) },
      { text: run.finished_at === null ? '' : duration(Date.parse(run.finished_at) - Date.parse(run.started_at)) },
      { text: run.outcome },
      { text: String(run.built) },
      { text: String(run.dropped) },
      { text: String(run.failed), tone: run.failed > 0 ? 'bad' : 'plain' },
      { text: run.user },
    ]),
  }
}
