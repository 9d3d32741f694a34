import { randomUUID } from 'node:crypto'
import type { Call, Reply, ServiceDouble } from '../gateway/call.js'
import { AwsError } from '../gateway/error.js'
import { escapeXml } from '../gateway/protocols.js'
import type { PolicyDocument } from './policy.js'
import type { Role, RoleStore } from './roles.js'

type Parameters = URLSearchParams
type Xml = string

/** Longest that the inline policies of a role may be together, characters without white space. */
const LONGEST_POLICIES = 10_240
/** Most tags of a role. */
const MOST_TAGS = 50

/**
 * IAM's roles and their inline policies, by the query protocol.
 * Not imitated: managed policies, paths other than `/`, instance profiles, service-linked roles, boundaries, eventual reads (only that
 * a new role is not assumable at once), checks of a policy's grammar beyond that it is JSON with statements.
 */
export class IamDouble implements ServiceDouble {
  readonly #roles: RoleStore

  constructor(roles: RoleStore) {
    this.#roles = roles
  }

  operationOf({ body }: { body: Buffer }): string {
    return new URLSearchParams(body.toString('utf8')).get('Action') ?? ''
  }

  resourcesOf(call: Call): string[] {
    const name = new URLSearchParams(call.body.toString('utf8')).get('RoleName')
    return name === null ? [] : [this.#roles.roles.get(name)?.arn ?? `arn:aws:iam::*:role/${name}`]
  }

  handle(call: Call): Reply {
    const input = new URLSearchParams(call.body.toString('utf8'))
    const action = this.#actions[call.operation]
    if (!action) throw new AwsError('InvalidAction', 400, `The double of IAM has no ${call.operation}`)
    const result = action(input)
    const name = call.operation
    return {
      status: 200,
      headers: { 'content-type': 'text/xml' },
      body:
        `<${name}Response xmlns="https://iam.amazonaws.com/doc/2010-05-08/">` +
        `${result === '' ? '' : `<${name}Result>${result}</${name}Result>`}` +
        `<ResponseMetadata><RequestId>${randomUUID()}</RequestId></ResponseMetadata></${name}Response>`,
    }
  }

  readonly #actions: Record<string, (input: Parameters) => Xml> = {
    CreateRole: (input) => {
      const name = textOf(input, 'RoleName')
      if (!/^[\w+=,.@-]{1,64}$/.test(name))
        throw new AwsError('ValidationError', 400, `The specified value for roleName is invalid: ${name}`)
      if (this.#roles.roles.has(name))
        throw new AwsError('EntityAlreadyExists', 409, `Role with name ${name} already exists.`)
      const trust = policyText(textOf(input, 'AssumeRolePolicyDocument'))
      const seconds = Number(input.get('MaxSessionDuration') ?? 3600)
      const role = this.#roles.create(name, trust, input.get('Description') ?? '', seconds)
      addTags(role, input)
      return `<Role>${roleXml(role)}${tagsXml(role)}</Role>`
    },
    GetRole: (input) => {
      const role = this.#role(input)
      return `<Role>${roleXml(role)}${tagsXml(role)}</Role>`
    },
    UpdateAssumeRolePolicy: (input) => {
      this.#role(input).trust = policyText(textOf(input, 'PolicyDocument'))
      return ''
    },
    ListRoles: (input) => {
      const { page, more } = paged([...this.#roles.roles.values()].sort(byName), input, (role) => role.name)
      return `<Roles>${page.map((role) => `<member>${roleXml(role)}</member>`).join('')}</Roles>${more}`
    },
    DeleteRole: (input) => {
      const role = this.#role(input)
      if (role.policies.size > 0)
        throw new AwsError('DeleteConflict', 409, 'Cannot delete entity, must delete policies first.')
      this.#roles.roles.delete(role.name)
      return ''
    },
    PutRolePolicy: (input) => {
      const role = this.#role(input)
      const name = textOf(input, 'PolicyName')
      const text = policyText(textOf(input, 'PolicyDocument'))
      const others = [...role.policies].filter(([other]) => other !== name).map(([, document]) => document)
      if ([...others, text].join('').replaceAll(/\s/g, '').length > LONGEST_POLICIES)
        throw new AwsError(
          'LimitExceeded',
          409,
          `Maximum policy size of ${LONGEST_POLICIES} bytes exceeded for role ${role.name}`,
        )
      role.policies.set(name, text)
      return ''
    },
    GetRolePolicy: (input) => {
      const role = this.#role(input)
      const name = textOf(input, 'PolicyName')
      const text = role.policies.get(name)
      if (text === undefined) throw noPolicy(name)
      return `<RoleName>${role.name}</RoleName><PolicyName>${escapeXml(name)}</PolicyName><PolicyDocument>${encodeURIComponent(text)}</PolicyDocument>`
    },
    ListRolePolicies: (input) => {
      const { page, more } = paged([...this.#role(input).policies.keys()].sort(), input, (name) => name)
      return `<PolicyNames>${page.map((name) => `<member>${escapeXml(name)}</member>`).join('')}</PolicyNames>${more}`
    },
    DeleteRolePolicy: (input) => {
      const name = textOf(input, 'PolicyName')
      if (!this.#role(input).policies.delete(name)) throw noPolicy(name)
      return ''
    },
    ListAttachedRolePolicies: (input) => {
      this.#role(input)
      return '<AttachedPolicies/><IsTruncated>false</IsTruncated>'
    },
    ListInstanceProfilesForRole: (input) => {
      this.#role(input)
      return '<InstanceProfiles/><IsTruncated>false</IsTruncated>'
    },
    TagRole: (input) => {
      addTags(this.#role(input), input)
      return ''
    },
    UntagRole: (input) => {
      const role = this.#role(input)
      for (const [key, value] of input) if (/^TagKeys\.member\.\d+$/.test(key)) role.tags.delete(value)
      return ''
    },
    ListRoleTags: (input) => `${tagsXml(this.#role(input)) || '<Tags/>'}<IsTruncated>false</IsTruncated>`,
  }

  #role(input: Parameters): Role {
    const name = textOf(input, 'RoleName')
    const role = this.#roles.roles.get(name)
    if (!role) throw new AwsError('NoSuchEntity', 404, `The role with name ${name} cannot be found.`)
    return role
  }
}

function textOf(input: Parameters, name: string): string {
  const value = input.get(name)
  if (value === null)
    throw new AwsError('ValidationError', 400, `1 validation error detected: '${name}' must not be null`)
  return value
}

function policyText(text: string): string {
  try {
    const document = JSON.parse(text) as PolicyDocument
    if (typeof document.Statement === 'object') return text
  } catch {}
  throw new AwsError('MalformedPolicyDocument', 400, 'Syntax errors in policy.')
}

function noPolicy(name: string): AwsError {
  return new AwsError('NoSuchEntity', 404, `The role policy with name ${name} cannot be found.`)
}

function addTags(role: Role, input: Parameters): void {
  const tags = new Map(role.tags)
  for (const [key, value] of input) {
    const number = key.match(/^Tags\.member\.(\d+)\.Key$/)?.[1]
    if (number) tags.set(value, input.get(`Tags.member.${number}.Value`) ?? '')
  }
  if (tags.size > MOST_TAGS) throw new AwsError('LimitExceeded', 409, `A role has at most ${MOST_TAGS} tags`)
  role.tags = tags
}

function paged<T>(items: T[], input: Parameters, keyOf: (item: T) => string): { page: T[]; more: Xml } {
  const after = input.get('Marker')
  const rest = after === null ? items : items.filter((item) => keyOf(item) > after)
  const page = rest.slice(0, Number(input.get('MaxItems') ?? 100))
  const last = page.at(-1)
  const isTruncated = page.length < rest.length && last !== undefined
  return {
    page,
    more: `<IsTruncated>${isTruncated}</IsTruncated>${isTruncated ? `<Marker>${keyOf(last)}</Marker>` : ''}`,
  }
}

function byName(a: Role, b: Role): number {
  return a.name < b.name ? -1 : 1
}

function roleXml(role: Role): Xml {
  return (
    `<Path>/</Path><RoleName>${role.name}</RoleName><RoleId>${role.id}</RoleId><Arn>${role.arn}</Arn>` +
    `<CreateDate>${new Date(role.createdMs).toISOString()}</CreateDate>` +
    `<AssumeRolePolicyDocument>${encodeURIComponent(role.trust)}</AssumeRolePolicyDocument>` +
    `<Description>${escapeXml(role.description)}</Description><MaxSessionDuration>${role.maxSessionSeconds}</MaxSessionDuration>`
  )
}

function tagsXml(role: Role): Xml {
  const tags = [...role.tags].map(
    ([key, value]) => `<member><Key>${escapeXml(key)}</Key><Value>${escapeXml(value)}</Value></member>`,
  )
  return tags.length === 0 ? '' : `<Tags>${tags.join('')}</Tags>`
}
