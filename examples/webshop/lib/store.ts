import { fileStore } from '@fusionize/example-kit'

/** Where carts and orders are kept: the folder `WEBSHOP_STORE`, by default `.fusionize/store`. */
export const store = fileStore(() => process.env.WEBSHOP_STORE ?? '.fusionize/store')
