/** Narrow readers of parsed JSON: a member that is missing or of another type reads as the neutral value. */
export type JsonObject = Readonly<Record<string, unknown>>

/** An object that is being filled as EXPLAIN (FORMAT JSON) would print it. */
export type MutableJsonObject = Record<string, unknown>

export function isObject(value: unknown): value is JsonObject {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

/** 0 when it is no number. */
export function numberAt(object: JsonObject, key: string): number {
  const value = object[key]
  return typeof value === 'number' ? value : 0
}

/** Empty when it is no text. */
export function textAt(object: JsonObject, key: string): string {
  const value = object[key]
  return typeof value === 'string' ? value : ''
}

export function objectsAt(object: JsonObject, key: string): readonly JsonObject[] {
  const value = object[key]
  return Array.isArray(value) ? value.filter(isObject) : []
}

export function textsAt(object: JsonObject, key: string): readonly string[] {
  const value = object[key]
  return Array.isArray(value) ? value.filter((item) => typeof item === 'string') : []
}

export function objectAt(object: JsonObject, key: string): JsonObject {
  const value = object[key]
  return isObject(value) ? value : {}
}
