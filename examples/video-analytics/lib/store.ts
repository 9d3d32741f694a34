import { fileStore } from '@fusionize/example-kit'

/** Where recordings, chunks and summaries are kept: the folder `VIDEO_STORE`, by default `.fusionize/store`. */
export const store = fileStore(() => process.env.VIDEO_STORE ?? '.fusionize/store')
