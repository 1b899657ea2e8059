import type { PoolServer } from '../../result/documents/pool-result.js'
import type { Block, Cell, Tone } from '../block/block.js'
import { several } from '../../text/amounts.js'

/** Lines of services, and of changes, that are shown without verbose: the largest. */
export const shownLines = 12

/** From max_connections down to the headroom. Steady and peak are told apart only where a rollout adds something. */
export function waterfallGrid(server: PoolServer, verbose: boolean): Block {
  const all = verbose ? server.waterfall : groupWaterfall(server)
  const surges = all.some((line) => isRollout(line.label))
  const lines = all
    .filter((line) => surges || line.label !== 'headroom, steady')
    .map((line) => (!surges && line.label === 'headroom, peak' ? { ...line, label: 'headroom' } : line))
  return {
    kind: 'grid',
    title: server.name,
    columns: [
      { head: '', kind: 'sign' },
      { head: 'connections', kind: 'name', floor: 16 },
      { head: 'count', kind: 'number' },
      { head: 'how', kind: 'prose', floor: 20, drop: 1, whole: true },
    ],
    rows: lines.map((line): Cell[] => [
      { text: line.total ? '=' : '', tone: 'quiet' },
      { text: line.label },
      { text: String(line.connections), tone: line.total ? headroomTone(line.connections) : 'plain' },
      { text: line.total ? '' : howText(server, line.label), tone: 'quiet' },
    ]),
  }
}

type WaterfallLine = PoolServer['waterfall'][number]

/** Many services: the largest of them one by one, the others as one line, steady and in a rollout. */
export function groupWaterfall({ waterfall, services }: PoolServer): readonly WaterfallLine[] {
  const names = new Set(services.map((line) => line.name))
  const isService = ({ label, total }: WaterfallLine) => !total && (names.has(label) || isRollout(label))
  const keep = (rollout: boolean) => {
    const lines = waterfall.filter((line) => isService(line) && isRollout(line.label) === rollout)
    if (lines.length <= shownLines) return { kept: lines, rest: [] }
    const sorted = lines.toSorted((a, b) => a.connections - b.connections)
    return { kept: sorted.slice(0, shownLines), rest: sorted.slice(shownLines) }
  }
  const groups = [keep(false), keep(true)]
  const kept = new Set(groups.flatMap((group) => group.kept))
  return waterfall.flatMap((line): readonly WaterfallLine[] => {
    const rest = groups.find((group) => group.rest.includes(line))?.rest
    if (!isService(line) || rest === undefined || kept.has(line)) return [line]
    if (line !== waterfall.find((one) => rest.includes(one))) return []
    const label = `${several(rest.length, 'other')}${isRollout(line.label) ? ', rollout' : ''}`
    return [{ label, connections: rest.reduce((sum, one) => sum + one.connections, 0), total: false }]
  })
}

function isRollout(label: string): boolean {
  return label.endsWith(', rollout')
}

/** The arithmetic without its result, which stands beside it. */
function howText({ services, limits_from: from }: PoolServer, label: string): string {
  if (label === 'max_connections')
    return { live: '', unknown: '', file: 'of the file', provider: 'of the provider' }[from]
  const sum = services.find((line) => line.via === undefined && line.name === label)?.sum ?? ''
  const rollout = services.find((line) => `${line.name}, rollout` === label)?.sum ?? ''
  const instances = / with (\d+ instances) during a rollout/.exec(rollout)?.[1]
  if (instances !== undefined) return `${instances} for a while`
  const [factors = ''] = sum.split(' = ')
  return factors.replace(/ (\w+) workers/, ' workers').replace('own pool', 'pool')
}

export function headroomTone(headroom: number | null): Tone {
  return headroom === null ? 'warn' : headroom < 0 ? 'bad' : 'good'
}
