// Writes the chain and the fan-out of an application: node generate.mjs [steps] [objects of the fixed set] [folder]
import { writeChain, writeFanOut } from '@fusionize/example-kit/microbench'

const [steps = '10', objects = '16', dir = import.meta.dirname] = process.argv.slice(2)
writeChain(dir, Number(steps))
writeFanOut(dir, Number(objects))
