/** Us of the clock that all processes of the machine share. */
export function nowUs(): number {
  return Number(process.hrtime.bigint()) / 1000
}
