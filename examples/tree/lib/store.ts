import { fileStore } from '@fusionize/example-kit'

/** Where the tasks that nobody waits for leave what they did: the folder `TREE_STORE`, by default `.fusionize/store`. */
export const store = fileStore(() => process.env.TREE_STORE ?? '.fusionize/store')
