/** Answers that are enough, of how many that are asked for. */
export const k = 3
export const n = 5

/** One who is asked. */
export interface Start {
  number: number
  /** How long it takes. */
  delayMs: number
}

/** Who came first, in order of arrival. */
export interface Podium {
  first: number[]
  /** Which of them had been slow. */
  late: number[]
}

export function sourceOf(number: number): string {
  return `source-${number}`
}
