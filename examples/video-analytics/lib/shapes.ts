/** What there is to be seen. */
export const kinds = ['disc', 'ring', 'square', 'cross', 'triangle'] as const
export type Kind = (typeof kinds)[number]

/** After how many degrees a shape looks the same again; 0 = always. */
export const symmetryDegrees: Record<Kind, number> = { disc: 0, ring: 0, square: 90, cross: 90, triangle: 120 }

/** Whether a point is in a shape about the origin; the shape fits into a circle of that radius. */
export function isInside(kind: Kind, degrees: number, radius: number, x: number, y: number): boolean {
  const angle = (degrees * Math.PI) / 180
  const u = (x * Math.cos(angle) + y * Math.sin(angle)) / radius
  const v = (y * Math.cos(angle) - x * Math.sin(angle)) / radius
  const far = Math.hypot(u, v)
  switch (kind) {
    case 'disc':
      return far <= 0.9
    case 'ring':
      return far <= 1 && far >= 0.6
    case 'square':
      return Math.abs(u) <= 0.7 && Math.abs(v) <= 0.7
    case 'cross':
      return far <= 1 && (Math.abs(u) <= 0.26 || Math.abs(v) <= 0.26)
    case 'triangle':
      // Three sides, each half the radius from the middle.
      return [90, 210, 330].every((side) => {
        const towards = (side * Math.PI) / 180
        return u * Math.cos(towards) + v * Math.sin(towards) <= 0.5
      })
  }
}

/**
 * How much of the pixel that begins at (x, y) a shape about (cx, cy) covers, 0 to 1: nine points of it are looked at.
 */
export function coverage(kind: Kind, degrees: number, radius: number, x: number, y: number): number {
  let inside = 0
  for (let i = 0; i < 3; i++)
    for (let j = 0; j < 3; j++) if (isInside(kind, degrees, radius, x + (i - 1) / 3, y + (j - 1) / 3)) inside++
  return inside / 9
}
