/**
 * Parameters of the simulations of more cores than this machine has. Set before anything was simulated with them, and not to be moved afterwards: what
 * tasks do and what hand-overs take comes from the profile that the run itself recorded, nothing from the rows that are compared.
 */
export const frozen = {
  /** Cores of the simulated machine. */
  cores: [16],
  /** Relative error of the simulated P95 on this machine's own cores up to which a strategy is simulated on more of them (issue). */
  withinP95: 0.15,
  requests: 1000,
  warmUpRequests: 50,
  seed: 20_261_121,
  keepAliveMs: 600_000,
} as const
