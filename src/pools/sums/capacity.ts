import type { RoleKind, Server, Slots } from './model.js'
import { providerLimits } from './providers.js'

/** Connection slots of one server. */
export interface SlotLimits extends Slots {
  /** Kept by the provider besides, such as rds.rds_superuser_reserved_connections. */
  readonly providerReserved: number
  /** Where max_connections was learnt from. */
  readonly source: 'live' | 'file' | 'provider'
}

/**
 * Slots that roles of a kind may fill together. An ordinary role may connect while all client backends, superusers'
 * included, are fewer than max_connections - superuser_reserved_connections - reserved_connections; measured on 14 to
 * 18. https://www.postgresql.org/docs/current/runtime-config-connection.html#GUC-SUPERUSER-RESERVED-CONNECTIONS
 */
export function capacity(limits: SlotLimits, kind: RoleKind = 'ordinary'): number {
  switch (kind) {
    case 'superuser':
      return limits.maxConnections
    case 'reserved':
      return limits.maxConnections - limits.superuserReserved
    case 'ordinary':
      return limits.maxConnections - keptBack(limits)
  }
}

/** Slots that no ordinary role gets. */
export function keptBack(limits: SlotLimits): number {
  return limits.superuserReserved + limits.reserved + limits.providerReserved
}

/** Limits that count: the server's own where it was asked, else the declared ones; what --what-if says beats both. */
export function limitsOf(server: Server, live: SlotLimits | null): SlotLimits | null {
  const { assumed } = server
  const known = live ?? declaredLimits(server, assumed?.maxConnections)
  return known === null || assumed === undefined ? known : { ...known, ...assumed }
}

/**
 * Limits without a look at the server: what the file says, else the provider's table; null when neither knows
 * max_connections and `unless` is none either. Defaults of the reserves are PostgreSQL's: 3 and 0.
 */
export function declaredLimits(server: Server, unless?: number): SlotLimits | null {
  const provider = server.provider === null ? null : providerLimits(server.provider.name, server.provider.size)
  const maxConnections = server.maxConnections ?? provider?.maxConnections ?? unless
  if (maxConnections === undefined) return null
  return {
    maxConnections,
    superuserReserved: server.superuserReserved ?? provider?.superuserReserved ?? 3,
    reserved: server.reserved ?? 0,
    providerReserved: provider?.providerReserved ?? 0,
    source: server.maxConnections === null && provider !== null ? 'provider' : 'file',
  }
}
