import { basename } from 'node:path'
import type { Definition, Key, PartitionPart } from '../../definition/definition.js'
import { isExpressionText } from '../../definition/key-text.js'
import { completeLoad } from './complete-load.js'
import { completeQuery } from './complete-query.js'
import type { DeclaredIndex, Profile } from '../profile.js'
import { qualify } from '../written/qualify.js'
import type { WrittenIndex, WrittenKey, WrittenProfile } from '../written/schema.js'
import type { ProfileSource } from '../written/source.js'

/** Written -> complete: every default filled in, every table qualified, every place kept. Names are checked elsewhere. */
export function completeProfile(written: WrittenProfile, source: ProfileSource): Profile {
  const schema = written.schema ?? 'public'
  return {
    name: written.profile ?? profileName(source.file),
    file: source.file,
    schema,
    indexes: (written.indexes ?? []).map((index, at) => ({
      ...completeIndex(index, schema),
      place: source.placeOf(['indexes', at]),
    })),
    absent: (written.absent ?? []).map((name, at) => ({
      ...qualify(name, schema),
      place: source.placeOf(['absent', at]),
    })),
    extensions: (written.extensions ?? []).map((name, at) => ({ name, place: source.placeOf(['extensions', at]) })),
    analyze: (written.analyze ?? []).map((table, at) => ({
      table: qualify(table, schema),
      place: source.placeOf(['analyze', at]),
    })),
    queries: (written.queries ?? []).map((query, at) => completeQuery(query, ['queries', at], source)),
    ...(written.load === undefined ? {} : { load: completeLoad(written.load, source) }),
  }
}

/** A profile without a name of its own goes by its file's: profiles/job-shop.yaml is job-shop. */
export function profileName(file: string): string {
  return basename(file).replace(/\.(ya?ml|sql)$/i, '')
}

function completeIndex(written: WrittenIndex, schema: string): Omit<DeclaredIndex, 'place'> {
  const { tablespace, where, why, comment, statistics, reindex, partitions } = written
  const definition: Definition = {
    name: written.name,
    table: qualify(written.table, schema),
    method: written.method ?? 'btree',
    keys: written.keys.map(completeKey),
    include: written.include ?? [],
    ...(where === undefined ? {} : { predicate: where }),
    unique: written.unique ?? false,
    nullsDistinct: written.nulls_distinct ?? true,
    storage: settingTexts(written.with ?? {}),
    ...(tablespace === undefined ? {} : { tablespace }),
    ...(comment === undefined ? {} : { comment }),
    ...(statistics === undefined ? {} : { statistics }),
    ...(partitions === undefined ? {} : { partitions: partitions.map((part) => completePart(part, schema)) }),
  }
  return {
    definition,
    for: written.for ?? [],
    ...(why === undefined ? {} : { why }),
    ...(reindex === true ? { reindex } : {}),
  }
}

function completePart(written: NonNullable<WrittenIndex['partitions']>[number], schema: string): PartitionPart {
  const { table, name, with: storage, comment, statistics } = written
  return {
    table: qualify(table, schema),
    ...(name === undefined ? {} : { name }),
    ...(storage === undefined ? {} : { storage: settingTexts(storage) }),
    ...(comment === undefined ? {} : { comment }),
    ...(statistics === undefined ? {} : { statistics }),
  }
}

function completeKey(written: string | WrittenKey): Key {
  if (typeof written === 'string') return isExpressionText(written) ? { expression: written } : { column: written }
  const { column, expression, opclass, collation, order, nulls } = written
  return {
    ...(column === undefined ? {} : { column }),
    ...(expression === undefined ? {} : { expression }),
    ...(opclass === undefined ? {} : { opclass: typeof opclass === 'string' ? opclass : opclass.name }),
    ...(typeof opclass === 'object' && opclass.parameters !== undefined
      ? { opclassParameters: settingTexts(opclass.parameters) }
      : {}),
    ...(collation === undefined ? {} : { collation }),
    ...(order === undefined ? {} : { order }),
    ...(nulls === undefined ? {} : { nulls }),
  }
}

function settingTexts(settings: Readonly<Record<string, string | number | boolean>>): Record<string, string> {
  return Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, String(value)]))
}
