import { loadBench } from '../load/compare.js'

export default loadBench('cold', 3)
