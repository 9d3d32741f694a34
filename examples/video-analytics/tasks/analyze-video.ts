import { task } from 'fusionize'
import { type VideoRequest, videoOf } from '../lib/request'
import collect from './collect'
import extract from './extract'
import split from './split'

/** Says what is to be seen in a video. */
export default task('analyze-video', { http: 'POST /videos' }, async (request: VideoRequest) => {
  const video = videoOf(request)
  const findings = await extract.map(await split(video))
  return collect({ video, findings })
})
