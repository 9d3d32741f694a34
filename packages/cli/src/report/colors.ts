import pc from 'picocolors'

/** Painters of terminal text; all of them leave text alone when colours are off. */
export type Colors = ReturnType<typeof pc.createColors>

/** Colours for one stream: on a terminal, unless NO_COLOR is set; FORCE_COLOR puts them on anywhere. */
export function colorsFor(stream: { isTTY?: boolean }, env: NodeJS.ProcessEnv = process.env): Colors {
  const off = env.NO_COLOR !== undefined && env.NO_COLOR !== ''
  const forced = env.FORCE_COLOR !== undefined && env.FORCE_COLOR !== '0'
  return pc.createColors(!off && (forced || (stream.isTTY === true && env.TERM !== 'dumb')))
}
