/** An error as a service answers it; each protocol writes it in its own way. */
export class AwsError extends Error {
  readonly code: string
  readonly status: number
  /** Members of the error's shape besides its message. */
  readonly members: Record<string, unknown>
  readonly headers: Record<string, string>

  constructor(
    code: string,
    status: number,
    message: string,
    members: Record<string, unknown> = {},
    headers: Record<string, string> = {},
  ) {
    super(message)
    this.code = code
    this.status = status
    this.members = members
    this.headers = headers
  }
}
