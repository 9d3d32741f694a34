import { fileStore } from '@fusionize/example-kit'

/** Where digits, features and models are kept: the folder `ML_STORE`, by default `.fusionize/store`. */
export const store = fileStore(() => process.env.ML_STORE ?? '.fusionize/store')
