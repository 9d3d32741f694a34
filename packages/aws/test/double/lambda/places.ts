import { type Configuration, conflict, type Functions, type LambdaFunction, notFound } from './model.js'

/** Where functions live, and how ARNs and names in a request lead to them. */
export class Places {
  readonly functions: Functions = new Map()
  readonly #prefix: string
  readonly #random: () => number

  constructor(region: string, account: string, random: () => number) {
    this.#prefix = `arn:aws:lambda:${region}:${account}:function:`
    this.#random = random
  }

  arnOf(name: string, qualifier?: string): string {
    return `${this.#prefix}${name}${qualifier ? `:${qualifier}` : ''}`
  }

  /** Name and qualifier in a name, a partial or a whole ARN. */
  parse(nameOrArn: string, qualifier?: string | null): { name: string; qualifier: string | undefined } {
    const rest = nameOrArn.includes('function:') ? nameOrArn.slice(nameOrArn.indexOf('function:') + 9) : nameOrArn
    const [name = '', inName] = rest.split(':')
    return { name, qualifier: qualifier ?? inName }
  }

  /** @throws AwsError where there is none. */
  find(nameOrArn: string): LambdaFunction {
    const { name } = this.parse(nameOrArn)
    const found = this.functions.get(name)
    if (!found) throw notFound(this.arnOf(name))
    return found
  }

  /**
   * The configuration of $LATEST, a version or an alias' version (its main one).
   *
   * @throws AwsError where there is none.
   */
  configuration(fn: LambdaFunction, qualifier: string | undefined): Configuration {
    const number = qualifier === undefined ? '$LATEST' : (fn.aliases.get(qualifier)?.FunctionVersion ?? qualifier)
    if (number === '$LATEST') return fn.latest
    const version = fn.versions.get(number)
    if (!version) throw notFound(this.arnOf(fn.name, qualifier))
    return version
  }

  /** What an invocation by this qualifier runs; an alias with weights lets chance decide. */
  chosen(fn: LambdaFunction, qualifier: string | undefined): Configuration {
    const alias = fn.aliases.get(qualifier ?? '$LATEST')
    let rest = this.#random()
    for (const [version, weight] of Object.entries(alias?.RoutingConfig?.AdditionalVersionWeights ?? {})) {
      if (rest < weight) return this.configuration(fn, version)
      rest -= weight
    }
    const main = this.configuration(fn, qualifier)
    return main === fn.latest ? fn.serving : main
  }
}

/** @throws AwsError while the function is made or changed. */
export function checkSettled({ FunctionArn, State, LastUpdateStatus }: Configuration): void {
  if (State === 'Pending')
    throw conflict(
      `The operation cannot be performed at this time. The function is currently in the following state: ${State}`,
    )
  if (LastUpdateStatus === 'InProgress')
    throw conflict(
      `The operation cannot be performed at this time. An update is in progress for resource: ${FunctionArn}`,
    )
}
