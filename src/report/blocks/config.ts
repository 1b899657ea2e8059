import type { ConfigResult, ConfigSetting } from '../../result/documents/config-result.js'
import type { Block } from '../block/block.js'
import { placeText } from '../block/findings.js'
import { several } from '../../text/amounts.js'

/** What is in force, a setting a line, with where it comes from. */
export function configBlocks(result: ConfigResult): Block[] {
  const { settings, environment, environments } = result
  const given = settings.filter((setting) => setting.source !== 'default')
  const others = environments.filter((name) => name !== environment)
  return [
    { kind: 'verdict', tone: 'plain', text: `${whereFrom(result)}: ${several(given.length, 'setting')} given` },
    ...(others.length === 0
      ? []
      : [{ kind: 'text', tone: 'quiet', text: `Other environments: ${others.join(', ')}` } as const]),
    {
      kind: 'grid',
      title: '',
      columns: [
        { head: 'setting', kind: 'word' },
        { head: 'value', kind: 'name', floor: 20 },
        { head: 'from', kind: 'prose', floor: 24 },
      ],
      rows: settings.map((setting) => {
        const tone = setting.source === 'default' ? 'quiet' : 'plain'
        return [
          { text: setting.key, tone },
          { text: valueText(setting.value), tone },
          { text: sourceText(setting), tone },
        ]
      }),
    },
    {
      kind: 'items',
      title: '',
      items: settings.flatMap(({ key, note }) =>
        note === undefined ? [] : [{ tone: 'warn', label: key, text: note, details: [] } as const],
      ),
    },
  ]
}

function whereFrom({ file, environment }: ConfigResult): string {
  if (file === null) return 'no perfdb.yaml'
  return environment === null ? file : `${file}, environment ${environment}`
}

function valueText(value: ConfigSetting['value']): string {
  if (value === null) return '-'
  return Array.isArray(value) ? value.join(', ') : String(value)
}

function sourceText({ source, name, environment, place }: ConfigSetting): string {
  const at = place === undefined ? '' : placeText(place)
  const from = { flag: name, variable: name, environment: `${at} (${environment})`, file: at, default: 'default' }
  return from[source] ?? ''
}
