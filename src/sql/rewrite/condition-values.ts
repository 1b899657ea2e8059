import type { Node } from 'libpg-query'
import { walkTree } from '../parser/parser-walk.js'

/** Relations whose columns it names; empty for a column without one. */
export function relationsOf(node: Node): readonly string[] {
  const found: string[] = []
  walkTree(node, (name, fields) => {
    if (name !== 'ColumnRef' || !Array.isArray(fields['fields'])) return
    found.push(fields['fields'].length > 1 ? lastName(fields['fields'].slice(0, -1)) : '')
  })
  return [...new Set(found)]
}

/** n of $n. */
export function numberOf(node: Node | undefined): number | null {
  return node !== undefined && 'ParamRef' in node ? (node.ParamRef.number ?? 0) : null
}

/** n of each $n of a list. */
export function listedIn(node: Node | undefined): readonly number[] {
  if (node === undefined || !('A_ArrayExpr' in node)) return []
  return (node.A_ArrayExpr.elements ?? []).flatMap((element) => numberOf(stripped(element)) ?? [])
}

/** Without casts and COLLATE around it. */
export function stripped(node: Node | undefined): Node | undefined {
  if (node !== undefined && 'TypeCast' in node) return stripped(node.TypeCast.arg)
  return node !== undefined && 'CollateClause' in node ? stripped(node.CollateClause.arg) : node
}

/** Of a COLLATE clause. */
export function collationOf(node: Node | undefined): string | null {
  return node !== undefined && 'CollateClause' in node ? lastName(node.CollateClause.collname ?? []) : null
}

/** A constant as text. */
export function constantOf(node: Node | undefined): string | null {
  if (node === undefined || !('A_Const' in node)) return null
  const { sval, ival, fval } = node.A_Const
  return sval?.sval ?? fval?.fval ?? (ival === undefined ? '' : String(ival.ival ?? 0))
}

/** Of a qualified name. */
export function lastName(names: readonly Node[]): string {
  const last = names.at(-1)
  return last !== undefined && 'String' in last ? (last.String.sval ?? '') : ''
}
