/** What goes along the chain. */
export interface Walk {
  start: number
  /** One more after every step. */
  now: number
}
