/** Settings of one transaction that is rolled back. Times in ms, 0 is no limit. */
export interface TransactionSettings {
  readonly readOnly: boolean
  /** READ COMMITTED unless said. */
  readonly isolation?: 'repeatable read'
  readonly statementTimeoutMs?: number
  readonly lockTimeoutMs?: number
  /** Further settings by SET LOCAL: name to value, such as enable_seqscan: off. */
  readonly set?: Readonly<Record<string, string>>
}
