import { task } from 'fusionize'
import store from './store'

export default task('notify', { http: 'POST /notify' }, async (value: string) => {
  await store.send(value)
  return 'told'
})
