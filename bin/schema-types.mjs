import { readFile } from 'node:fs/promises'
import { join } from 'node:path'

/** Shapes that have a name of their own in the sources, and where they stand: file, command of the document, path. */
const named = [
  ['Place', 'result', 'plan', 'findings', 'items', 'place'],
  ['Interval', 'result', 'explain', 'queries', 'items', 'speedup'],
  ['ResultPlanNode', 'result', 'explain', 'queries', 'items', 'after', 'query_plan', 'items'],
  ['ResultMeasurement', 'result', 'explain', 'queries', 'items', 'after'],
  ['ResultFinding', 'result', 'plan', 'findings', 'items'],
  ['ResultStep', 'result', 'plan', 'steps', 'items'],
  ['ResultQuery', 'result', 'explain', 'queries', 'items'],
  ['Comparison', 'result', 'explain', 'comparisons', 'items'],
  ['PoolServer', 'result', 'check-pool', 'servers', 'items'],
  ['PlanResult', 'result', 'plan'],
  ['VerifyResult', 'result', 'verify'],
  ['ApplyResult', 'result', 'apply'],
  ['ExplainResult', 'result', 'explain'],
  ['AdviseResult', 'result', 'advise'],
  ['StatusResult', 'result', 'status'],
  ['PoolResult', 'result', 'check-pool'],
  ['TenantResult', 'result', 'worker', 'tenants', 'items'],
  ['FleetResult', 'result', 'worker'],
  ['WrittenIndex', 'profile', 'indexes', 'items'],
  ['WrittenQuery', 'profile', 'queries', 'items'],
  ['WrittenProfile', 'profile'],
  ['WrittenPools', 'pools'],
]

/**
 * The published JSON Schemas (draft 7, as zod writes them) as TypeScript: name of a type -> the declarations that it needs, itself last.
 * Test test/library/types.test.ts holds them against the types of the sources.
 */
export async function schemaTypes(folder) {
  const files = new Map()
  for (const name of ['result', 'profile', 'pools'])
    files.set(name, JSON.parse(await readFile(join(folder, `${name}.schema.json`), 'utf8')))
  const shapes = named.map(([name, file, ...path]) => [name, shapeAt(files.get(file), path, name)])
  const names = new Map(shapes.map(([name, shape]) => [JSON.stringify(shape), name]))
  const texts = new Map(
    shapes.map(([name, shape]) => {
      const text = typeOf(shape, names, '', true)
      return [name, text.startsWith('{') ? `export interface ${name} ${text}` : `export type ${name} = ${text}`]
    }),
  )
  const needed = (name) => {
    const inner = [...texts.keys()].filter(
      (one) => one !== name && new RegExp(`\\b${one}\\b`).test(texts.get(name).slice(name.length + 18)),
    )
    return new Map([...inner.flatMap((one) => [...needed(one)]), [name, texts.get(name)]])
  }
  return new Map([...texts.keys()].map((name) => [name, needed(name)]))
}

function shapeAt(document, path, name) {
  const commands = ({ properties: { command } }) => [command.const, ...(command.enum ?? [])]
  const [first, ...rest] = path
  let shape = document
  if (document.anyOf !== undefined && first !== undefined)
    shape = document.anyOf.find((one) => commands(one).includes(first))
  for (const step of document.anyOf === undefined ? path : rest)
    shape = step === 'items' ? shape?.items : shape?.properties?.[step]
  if (shape === undefined) throw new Error(`there is no ${name} at ${path.join('.')}`)
  return shape
}

function typeOf(shape, names, indent, itself = false) {
  const name = names.get(JSON.stringify(shape))
  if (name !== undefined && !itself) return name
  // The one recursive schema: a value of a parameter.
  if (shape.$ref !== undefined) return 'WrittenValue'
  if (shape.const !== undefined) return JSON.stringify(shape.const)
  if (shape.enum !== undefined) return shape.enum.map((one) => JSON.stringify(one)).join(' | ')
  if (shape.anyOf !== undefined) return [...new Set(shape.anyOf.map((one) => typeOf(one, names, indent)))].join(' | ')
  if (Array.isArray(shape.type)) return shape.type.map((type) => typeOf({ ...shape, type }, names, indent)).join(' | ')
  switch (shape.type) {
    case 'array':
      return `(${typeOf(shape.items, names, indent)})[]`.replace(/^\((\w+)\)/, '$1')
    case 'object':
      return objectType(shape, names, indent)
    case 'integer':
      return 'number'
    case 'string':
    case 'number':
    case 'boolean':
    case 'null':
      return shape.type
    default:
      throw new Error(`no type is known for ${JSON.stringify(shape)}`)
  }
}

function objectType({ properties, required = [], additionalProperties }, names, indent) {
  if (properties === undefined) return `{ [key: string]: ${typeOf(additionalProperties, names, indent)} }`
  const inner = `${indent}  `
  const lines = Object.entries(properties).map(([key, value]) => {
    const optional = !required.includes(key)
    const comment = value.description === undefined ? '' : `${inner}/** ${value.description} */\n`
    const name = /^\w+$/.test(key) || key.startsWith('$') ? key : JSON.stringify(key)
    return `${comment}${inner}${name}${optional ? '?' : ''}: ${typeOf(value, names, inner)}${optional ? ' | undefined' : ''}`
  })
  return `{\n${lines.join('\n')}\n${indent}}`
}
