/** What to sort, and how. */
export interface SortRequest {
  /** Makes the input from this seed, once. @default 1 */
  seed?: number
  /** Records of the input that is made. @default 100,000 */
  records?: number
  /** Name of a file in the work folder to sort instead. */
  file?: string
  /** Tasks that read a part each. @default one for 64 MB, two at least */
  mappers?: number
  /** Tasks that sort a range each; more when a range would not fit in memory. @default as many as mappers */
  reducers?: number
  /** Memory that a task may use, MB. @default 128 */
  memoryMb?: number
  /** Partitions of at most so many bytes go through the bucket as they are, larger ones as a place in a file. @default 1 MB */
  inlineBytes?: number
}

/** @throws {RangeError} naming the first field that is wrong */
export function checkRequest({ file, seed, ...counts }: SortRequest): void {
  if (file !== undefined && !/^\w[\w.-]*$/.test(file))
    throw new RangeError(`file is ${JSON.stringify(file)}; give the name of a file in the work folder`)
  if (seed !== undefined && !Number.isSafeInteger(seed)) throw new RangeError(`seed is ${seed}; give a whole number`)
  for (const [field, [least, most]] of Object.entries(limits)) {
    const value = counts[field as keyof typeof limits]
    if (value === undefined || (Number.isSafeInteger(value) && value >= least && value <= most)) continue
    throw new RangeError(`${field} is ${value}; give a whole number from ${least} to ${most}`)
  }
}

const limits = {
  records: [0, 1e11],
  mappers: [1, 1_000],
  reducers: [1, 1_000],
  memoryMb: [96, 1e6],
  inlineBytes: [0, 2 ** 30],
} as const
