import { loadBench } from '../load/compare.js'

export default loadBench('burst', 2)
