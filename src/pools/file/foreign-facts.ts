/** One key of a pools file that somebody's file says, and where: `docker-compose.yml:12`. */
export interface Fact {
  readonly key: string
  readonly value: string | number
  readonly source: string
}

/** A service, pooler or server as one file knows it; of several files that know one name the facts are added together. */
export interface Known {
  readonly kind: 'servers' | 'services' | 'poolers'
  readonly name: string
  readonly facts: readonly Fact[]
  /** Where a service connects to, as a URL in its environment says it: the name of a server or pooler. */
  readonly host?: { readonly name: string; readonly source: string }
}

export interface Foreign {
  readonly known: readonly Known[]
  /** What was left out, and why. */
  readonly left: readonly string[]
}
