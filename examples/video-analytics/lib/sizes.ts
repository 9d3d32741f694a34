/** Frames are this large at scale 1, in cells of {@link cellPx}. */
const published = { columns: 8, rows: 6 }

/** Side of the square in which an object stays, pixels. */
export const cellPx = 20

/** Share of the area of a full frame (160 × 120) unless `VIDEO_SCALE` says otherwise. */
export const defaultScale = 1

/** Cells of a frame here. */
export function grid(): { columns: number; rows: number } {
  const side = Math.sqrt(Number(process.env.VIDEO_SCALE ?? defaultScale))
  return {
    columns: Math.max(2, Math.round(published.columns * side)),
    rows: Math.max(2, Math.round(published.rows * side)),
  }
}
