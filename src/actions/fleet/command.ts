import { PerfdbError } from '../../errors.js'
import { fleetResult, type FleetCommand } from '../../result/documents/fleet-result.js'

/** The command by the name of its line. Throws BAD_OPTION for one that knows no tenants. */
export function fleetCommand(name: string): FleetCommand {
  const known = fleetResult.shape.command.options.find((one) => one === name)
  if (known !== undefined) return known
  throw new PerfdbError('BAD_OPTION', `${name} is for one database`)
}
