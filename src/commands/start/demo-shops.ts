import { demoClaims, type DemoClaim } from './demo-claims.js'
import { demoRows, demoStatements, type DemoStatement } from './demo-data.js'
import { omsRows, omsStatements, pamRows, pamStatements } from './demo-tenants.js'

export const demoNames = ['job-shop', 'pam', 'oms'] as const
export type DemoName = (typeof demoNames)[number]

/** A profile of the package with data at which it matters. */
export interface DemoShop {
  readonly title: string
  /** By table. */
  readonly rows: (scale: number) => Readonly<Record<string, number>>
  /** Fills the empty tables of its schema, as demoStatements does. */
  readonly statements: (scale: number) => readonly DemoStatement[]
  readonly claims: readonly DemoClaim[]
}

const lookups = ['conversations-of-user', 'settings-of-user', 'expenses-of-month', 'last-messages']

export const demoShops: Readonly<Record<DemoName, DemoShop>> = {
  'job-shop': {
    title: 'job shop',
    rows: (scale) => ({ ...demoRows(scale) }),
    statements: demoStatements,
    claims: demoClaims,
  },
  pam: {
    title: 'personal assistant',
    rows: pamRows,
    statements: pamStatements,
    claims: [
      {
        claim: 'look-ups of a user',
        before: '200 ms',
        after: '5-10 ms',
        queries: lookups,
        note: 'the report counts users at once, single runs are measured here: perfdb load --users 10,50,100 with the profile measures what they feel',
      },
    ],
  },
  oms: { title: 'order system of many tenants', rows: omsRows, statements: omsStatements, claims: [] },
}
