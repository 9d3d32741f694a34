/** What is compared, in the order of the report (issue: `wisefuse`). */
export const rowNames = [
  'remote',
  'all-fused',
  'photons',
  'photons-best',
  'faastlane',
  'faastlane-1',
  'sonic',
  'orion',
  'wisefuse',
  'plan',
] as const
export type RowName = (typeof rowNames)[number]

/** By how much WiseFuse's authors lowered the P95 of their ML pipeline, at no higher cost [abstract]. */
export const published: Partial<Record<RowName, number>> = { 'photons-best': 0.67, faastlane: 0.39, sonic: 0.9 }
