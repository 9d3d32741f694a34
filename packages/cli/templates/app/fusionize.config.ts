import { defineConfig } from 'fusionize'

export default defineConfig({
  /** What `fusionize optimize` aims at: latency (p50, p95, p99), cost, or both. */
  goal: { minimize: 'balanced' },
  /** The requests that it measures with. */
  load: {
    request: (index) => ({
      task: 'checkout',
      input: { customer: `c-${index % 10}`, items: ['apple', 'bread', 'cheese'].slice(0, 1 + (index % 3)) },
    }),
  },
})
