import { type StandardSchema, task } from 'fusionize'

const positive: StandardSchema<unknown, { count: number }> = {
  '~standard': {
    version: 1,
    vendor: 'conformance',
    validate(value) {
      const { count } = (value ?? {}) as { count?: unknown }
      if (typeof count === 'number' && count > 0) return { value: { count } }
      return { issues: [{ message: 'must be more than 0', path: ['count'] }] }
    },
  },
}

export default task('checked', { http: 'POST /checked', input: positive }, async ({ count }) => count)
