/**
 * What `sonic` needs to know of data passing (BASELINES, `sonic` 8). UNVERIFIED figures as of November 2026, not measured by this project; reports show how sensitive they
 * are by scaling them by ¼ to 4.
 */
export interface StoreFacts {
  putMs: number
  getMs: number
  /** Of one sandbox with a full core or more; proportional to memory below. MB/s */
  storeMbPerS: number
  fullMb: number
  nicMbPerS: number
  diskMbPerS: number
  /** Machines, and cores of each. Fewer than two machines leave nothing to place. */
  nodes: number
  coresPerNode: number
  /** Object storage, USD per operation (AWS S3 standard). */
  putUsd: number
  getUsd: number
}

export const storeFacts: StoreFacts = {
  putMs: 40,
  getMs: 25,
  storeMbPerS: 80,
  fullMb: 1769,
  nicMbPerS: 70,
  diskMbPerS: 500,
  nodes: 4,
  coresPerNode: 8,
  putUsd: 5e-6,
  getUsd: 0.4e-6,
}
