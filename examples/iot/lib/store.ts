import { fileStore } from '@fusionize/example-kit'

/** Where the application keeps what it learns: the folder `IOT_STORE`, by default `.fusionize/store`. */
export const store = fileStore(() => process.env.IOT_STORE ?? '.fusionize/store')
