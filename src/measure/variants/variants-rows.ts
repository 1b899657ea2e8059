import type { Session } from '../../server/session/session.js'
import { rowsDigestSql, valuesDigestSql } from '../../sql/measure/variants-rows.js'
import { rolledBack } from '../sample/sample.js'
import type { Subject } from '../sample/subject.js'
import { failureOf } from '../sample/series.js'
import type { Limits } from '../sample/limits.js'
import type { RowsAnswer } from '../sample/measurement.js'

export interface Answering {
  readonly name: string
  readonly subjects: readonly Subject[]
}

/**
 * Compares the rows of each other variant with those of the first, as multisets, by digests that the server makes in one
 * snapshot (REPEATABLE READ, read only): no row comes to the client. Rows of another shape, such as several statements
 * against one, are compared by the values in them. Throws CONNECTION_LOST and INTERRUPTED.
 */
export async function compareRows(
  session: Session,
  variants: readonly Answering[],
  limits: Limits,
): Promise<readonly RowsAnswer[]> {
  const [first, ...others] = variants
  if (first === undefined) return []
  const told = (answer: Verdict, other: Answering) => ({ variant: other.name, against: first.name, ...answer })
  if (variants.some(({ subjects }) => subjects.some(({ writes }) => writes)))
    return others.map((other) => told(incomparable('a statement changes data: its rows are not asked for'), other))
  try {
    return await rolledBack(session, limits, { readOnly: true, isolation: 'repeatable read' }, async () => {
      const answers: RowsAnswer[] = []
      for (const other of others) answers.push(told(await compare(session, first, other), other))
      return answers
    })
  } catch (error) {
    const { reason } = failureOf(error, limits)
    return others.map((other) => told(incomparable(reason), other))
  }
}

type Verdict = Pick<RowsAnswer, 'answer' | 'reason'>

interface Digest {
  readonly one: string
  readonly two: string
}
type RowsDigest = Digest & { readonly rows: number }
type ValuesDigest = Digest & { readonly values: number; readonly columns: number | null }

async function compare(session: Session, first: Answering, other: Answering): Promise<Verdict> {
  const [a, b] = [await rowsOf(session, first), await rowsOf(session, other)]
  const differs = a.findIndex((digest, at) => !same(digest, b[at]))
  if (total(a, rowsIn) + total(b, rowsIn) === 0) return { answer: 'same_rows', reason: 'neither gives a row' }
  if (a.length === b.length && differs === -1) return { answer: 'same_rows', reason: null }
  if (total(a, rowsIn) === total(b, rowsIn) && same(sumOfDigests(a), sumOfDigests(b)))
    return { answer: 'same_rows', reason: 'of all statements together' }
  for (const [variant, digests] of [[first, a] as const, [other, b] as const]) {
    const again = await rowsOf(session, variant)
    if (digests.some((digest, at) => !same(digest, again[at])))
      return incomparable(`${variant.name} gives other rows each time`)
  }
  const [x, y] = [await valuesOf(session, first), await valuesOf(session, other)]
  if (x.length === y.length && x.every(({ columns }, at) => equalWhereKnown(columns, y[at]?.columns ?? null))) {
    const where = a.length === 1 ? '' : `statement ${differs + 1}: `
    return { answer: 'other_rows', reason: where + difference(rowsIn(a[differs]), rowsIn(b[differs]), 'row') }
  }
  const [left, right] = [total(x, valuesIn), total(y, valuesIn)]
  if (left === right && same(sumOfDigests(x), sumOfDigests(y)))
    return { answer: 'same_values', reason: 'in rows of another shape' }
  if (left === right) return { answer: 'other_rows', reason: difference(left, right, 'value') }
  return incomparable(`rows of another shape: ${difference(left, right, 'value')}`)
}

function incomparable(reason: string): Verdict {
  return { answer: 'not_comparable', reason }
}

function difference(left: number, right: number, what: string): string {
  if (left === right) return `as many ${what}s (${left}), not the same`
  return `${right} ${what}${right === 1 ? '' : 's'} against ${left}`
}

/** Without a row nothing is known of its columns. */
function equalWhereKnown(left: number | null, right: number | null): boolean {
  return left === null || right === null || left === right
}

async function rowsOf(session: Session, { subjects }: Answering): Promise<readonly RowsDigest[]> {
  const digests: RowsDigest[] = []
  for (const { text, values } of subjects)
    digests.push(...(await session.query<RowsDigest>(rowsDigestSql(text), values)))
  return digests
}

async function valuesOf(session: Session, { subjects }: Answering): Promise<readonly ValuesDigest[]> {
  const digests: ValuesDigest[] = []
  for (const { text, values } of subjects)
    digests.push(...(await session.query<ValuesDigest>(valuesDigestSql(text), values)))
  return digests
}

function same(left: Digest | undefined, right: Digest | undefined): boolean {
  return left !== undefined && right !== undefined && left.one === right.one && left.two === right.two
}

/** The digest of the rows of all of them: sums add up. */
function sumOfDigests(digests: readonly Digest[]): Digest {
  const added = (part: (digest: Digest) => string) =>
    String(digests.reduce((sum, digest) => sum + BigInt(part(digest)), 0n))
  return { one: added(({ one }) => one), two: added(({ two }) => two) }
}

function total<Each>(digests: readonly Each[], part: (digest: Each) => number): number {
  return digests.reduce((sum, digest) => sum + part(digest), 0)
}

function rowsIn(digest: RowsDigest | undefined): number {
  return digest?.rows ?? 0
}

function valuesIn({ values }: ValuesDigest): number {
  return values
}
