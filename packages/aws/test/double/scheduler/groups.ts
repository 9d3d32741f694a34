import { bodyOf, type Call, json, type Reply } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'

interface Group {
  Name: string
  Arn: string
  tags: { Key: string; Value: string }[]
}

/** Groups of schedules, with their tags. Not imitated: that deleting one takes a while. */
export class ScheduleGroups {
  readonly groups = new Map<string, Group>()
  readonly #arnPrefix: string
  readonly #emptied: (group: string) => void

  /** @param emptied ends the schedules of a group that is deleted */
  constructor(region: string, account: string, emptied: (group: string) => void) {
    this.#arnPrefix = `arn:aws:scheduler:${region}:${account}:schedule-group/`
    this.#emptied = emptied
  }

  arnOf(name: string): string {
    return `${this.#arnPrefix}${name}`
  }

  /** @throws AwsError where there is no such group */
  require(name: string): void {
    if (name !== 'default') this.#find(name)
  }

  handle(call: Call): Reply | undefined {
    const name = decodeURIComponent(call.path.split('/')[2] ?? '')
    switch (call.operation) {
      case 'CreateScheduleGroup': {
        if (this.groups.has(name))
          throw new AwsError('ConflictException', 409, `Schedule group ${name} already exists.`)
        const { Tags = [] } = bodyOf<{ Tags?: Group['tags'] }>(call)
        this.groups.set(name, { Name: name, Arn: this.arnOf(name), tags: Tags })
        return json(200, { ScheduleGroupArn: this.arnOf(name) })
      }
      case 'GetScheduleGroup': {
        const { Arn, Name } = this.#find(name)
        return json(200, { Arn, Name, State: 'ACTIVE' })
      }
      case 'DeleteScheduleGroup':
        this.#find(name)
        this.#emptied(name)
        this.groups.delete(name)
        return json(200, {})
      case 'ListTagsForResource': {
        const found = [...this.groups.values()].find(({ Arn }) => Arn === name)
        if (!found) throw new AwsError('ResourceNotFoundException', 404, `${name} does not exist.`)
        return json(200, { Tags: found.tags })
      }
      default:
        return undefined
    }
  }

  #find(name: string): Group {
    const found = this.groups.get(name)
    if (!found) throw new AwsError('ResourceNotFoundException', 404, `Schedule group ${name} does not exist.`)
    return found
  }
}
