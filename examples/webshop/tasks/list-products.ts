import { task } from 'fusionize'
import { catalogue, type Product } from '../lib/catalogue'

export default task('list-products', async (): Promise<readonly Product[]> => catalogue)
