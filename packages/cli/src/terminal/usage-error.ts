/** The command line is wrong: exit code 2. */
export class UsageError extends Error {
  override readonly name = 'UsageError'
  constructor(
    message: string,
    /** The command whose help tells more. */
    readonly command?: string,
  ) {
    super(message)
  }
}
