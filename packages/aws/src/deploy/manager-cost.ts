import type { Rates } from 'fusionize/prices'
import type { ServicePrices } from '../prices.js'
import type { CostLine } from './cost.js'
import { type Desired, ofKind } from './resources.js'
import { managedDefaults } from './settings.js'

/** Minutes of a month of 30 days. */
const MONTH_MINUTES = 30 * 24 * 60
/**
 * What a run that watches takes: s, which is mostly reading, units of the table to write and read its head of a few kB, and bytes of its own log. A run that deploys takes a minute
 * more, of which there are some in a month.
 */
const RUN = { seconds: 5, writes: 24, reads: 2, logBytes: 1500 }
const DEPLOYING = { runs: 10, seconds: 60 }

/** What a month of the app's manager costs; undefined where there is none. Reading records costs nothing but the time that it takes ("Amazon CloudWatch Pricing": FilterLogEvents is not charged). */
export function managerCost(
  desired: Desired,
  rates: Rates,
  services: ServicePrices,
): { lines: CostLine[]; assumed: string[] } | undefined {
  const [manager] = ofKind(desired, 'manager')
  if (!manager) return undefined
  const everyMinutes = (desired.settings.managed || undefined)?.everyMinutes ?? managedDefaults.everyMinutes
  const runs = MONTH_MINUTES / everyMinutes
  const seconds = runs * RUN.seconds + DEPLOYING.runs * DEPLOYING.seconds
  const gbSeconds = seconds * (manager.function.memoryMb / 1024)
  const logGb = (runs * RUN.logBytes) / 1e9
  const line = (service: string, what: string, quantity: number, unit: string, each: number): CostLine => ({
    ...{ service, what: `manager, ${what}`, quantity, unit },
    usd: quantity * each,
  })
  return {
    lines: [
      line('Lambda', 'compute', gbSeconds, 'GB-s', rates.perGbSecond),
      line('Lambda', 'requests', runs, 'invocations', rates.perRequest),
      line('CloudWatch Logs', 'ingestion', logGb, 'GB', services.logsPerGb),
      line('DynamoDB', 'writes', runs * RUN.writes, 'units', services.tableWrite),
      line('DynamoDB', 'reads', runs * RUN.reads, 'units', services.tableRead),
      line('S3', 'puts', runs, 'requests', services.s3Put),
      line('S3', 'gets', runs, 'requests', services.s3Get),
      line('EventBridge Scheduler', 'runs', runs, 'invocations', services.schedule),
    ],
    assumed: [
      `the manager runs every ${everyMinutes} minutes for ${RUN.seconds} s, and ${DEPLOYING.runs} times a month for ${DEPLOYING.seconds} s more to deploy a setup`,
    ],
  }
}
