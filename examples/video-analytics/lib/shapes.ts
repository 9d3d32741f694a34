/** What there is to be seen. */
export const kinds = ['disc', 'ring', 'square', 'cross', 'triangle'] as const
export type Kind = (typeof kinds)[number]

/** After how many degrees a shape looks the same again; 0 = always. */
export const symmetryDegrees: Record<Kind, number> = { disc: 0, ring: 0, square: 90, cross: 90, triangle: 120 }

/** Towards the three sides of a triangle, each half the radius from its middle. */
const sides = [90, 210, 330]
  .map((degrees) => (degrees * Math.PI) / 180)
  .map((angle) => [Math.cos(angle), Math.sin(angle)])

/** Whether a point is in a shape of radius 1 about the origin. */
function isInside(kind: Kind, u: number, v: number): boolean {
  const square = u * u + v * v
  switch (kind) {
    case 'disc':
      return square <= 0.81
    case 'ring':
      return square <= 1 && square >= 0.36
    case 'square':
      return Math.abs(u) <= 0.7 && Math.abs(v) <= 0.7
    case 'cross':
      return square <= 1 && (Math.abs(u) <= 0.26 || Math.abs(v) <= 0.26)
    case 'triangle':
      return sides.every(([x, y]) => u * (x as number) + v * (y as number) <= 0.5)
  }
}

/** How much of the pixel about (x, y) a shape about the origin covers, 0 to 1: nine points of it are looked at. */
export function coverage(kind: Kind, degrees: number, radius: number): (x: number, y: number) => number {
  const angle = (degrees * Math.PI) / 180
  const [along, across] = [Math.cos(angle) / radius, Math.sin(angle) / radius]
  return (x, y) => {
    let inside = 0
    for (let i = -1; i <= 1; i++)
      for (let j = -1; j <= 1; j++) {
        const [px, py] = [x + i / 3, y + j / 3]
        if (isInside(kind, px * along + py * across, py * along - px * across)) inside++
      }
    return inside / 9
  }
}
