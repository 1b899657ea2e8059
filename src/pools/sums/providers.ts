import { sizeBytes } from '../../text/units.js'

/** What a managed plan allows, until the live server says otherwise. */
export interface ProviderLimits {
  readonly maxConnections: number
  readonly superuserReserved: number
  /** Kept by the provider besides, under a name of its own. */
  readonly providerReserved?: number
  /** Client connections of the provider's own pooler; null when it has none. */
  readonly poolerClients: number | null
  /** Server connections of one (user, database) pool of that pooler. */
  readonly poolerPoolSize: number | null
}

/**
 * Limits by provider and size, null for one that is not in the tables. Supabase: docs "Compute and Disk"; Neon: docs
 * "Connection pooling" (7 of max_connections belong to its own superuser, a pool takes 90 %). RDS: a formula on the
 * instance's memory, with 3 + 2 reserved. Azure is a setting of the instance: the live value is the only honest one.
 */
export function providerLimits(name: string, size: string): ProviderLimits | null {
  const key = size.toLowerCase()
  switch (name.toLowerCase()) {
    case 'supabase': {
      const row = supabase[key]
      if (row === undefined) return null
      return { maxConnections: row[0], superuserReserved: 3, poolerClients: row[1], poolerPoolSize: null }
    }
    case 'neon': {
      const max = neon[key.replace(/\s*cu$/, '')] ?? (Number.parseFloat(key) >= 9 ? 4000 : undefined)
      if (max === undefined) return null
      return { maxConnections: max, superuserReserved: 7, poolerClients: 10_000, poolerPoolSize: Math.floor(max * 0.9) }
    }
    case 'cloudsql': {
      const max = cloudSql[key]
      return max === undefined
        ? null
        : { maxConnections: max, superuserReserved: 3, poolerClients: null, poolerPoolSize: null }
    }
    case 'rds': {
      const memory = sizeBytes(instanceMemory(key) ?? size)
      if (Number.isNaN(memory)) return null
      const max = Math.min(5000, Math.floor((memory * rdsShare) / 9_531_392))
      return {
        maxConnections: max,
        superuserReserved: 3,
        providerReserved: 2,
        poolerClients: null,
        poolerPoolSize: null,
      }
    }
    default:
      return null
  }
}

/**
 * LEAST(DBInstanceClassMemory / 9531392, 5000), where DBInstanceClassMemory is what the instance's own processes leave: 198 of 2 GB and 413
 * of 4 GB were seen, 88 and 92 % of the formula on the nominal memory. The smaller share, so that the estimate is never too large.
 * https://docs.aws.amazon.com/AmazonRDS/latest/UserGuide/CHAP_Limits.html#RDS_Limits.MaxConnections
 */
const rdsShare = 0.88

/** Memory of an instance class such as db.r6g.large, in GB: m has 8 for each large, r 16, x 32, t its own steps. https://aws.amazon.com/rds/instance-types/ */
function instanceMemory(name: string): string | undefined {
  const [, family = '', times, size = ''] =
    /^db\.([a-z])\d+[a-z]*\.(\d+)?(nano|micro|small|medium|large|xlarge)$/.exec(name) ?? []
  if (family === 't') {
    const steps = { nano: 0.5, micro: 1, small: 2, medium: 4, large: 8, xlarge: 16 }
    const step = Object.entries(steps).find(([one]) => one === size)?.[1]
    return step === undefined ? undefined : `${step * Number(times ?? 1)}GB`
  }
  const large = family === 'm' ? 8 : family === 'r' ? 16 : family === 'x' ? 32 : undefined
  if (large === undefined || !size.endsWith('large')) return undefined
  return `${large * (size === 'large' ? 1 : 2 * Number(times ?? 1))}GB`
}

/** Names and sizes that the tables know, for messages. */
export const providerSizes: Readonly<Record<string, readonly string[]>> = {
  supabase: ['nano', 'micro', 'small', 'medium', 'large', 'xl', '2xl', '4xl', '8xl', '12xl', '16xl'],
  neon: ['0.25', '0.5', '1', '2', '3', '4', '5', '6', '7', '8', '9 and more'],
  cloudsql: ['db-f1-micro'],
  rds: ['an instance class such as db.r6g.large', 'the memory of the instance, such as 4GB'],
}

/** max_connections and pooler clients. https://supabase.com/docs/guides/platform/compute-and-disk */
const supabase: Readonly<Record<string, readonly [number, number]>> = {
  nano: [60, 200],
  micro: [60, 200],
  small: [90, 400],
  medium: [120, 600],
  large: [160, 800],
  xl: [240, 1000],
  '2xl': [380, 1500],
  '4xl': [480, 3000],
  '8xl': [490, 6000],
  '12xl': [500, 9000],
  '16xl': [500, 12_000],
}

/** max_connections by compute units. https://neon.com/docs/connect/connection-pooling */
const neon: Readonly<Record<string, number>> = {
  '0.25': 104,
  '.25': 104,
  '0.5': 209,
  '.5': 209,
  '1': 419,
  '2': 839,
  '3': 1258,
  '4': 1678,
  '5': 2098,
  '6': 2517,
  '7': 2937,
  '8': 3357,
}

/** The one tier that could be checked; the others follow the memory of the instance. */
const cloudSql: Readonly<Record<string, number>> = { 'db-f1-micro': 25 }
