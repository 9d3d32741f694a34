import { fileURLToPath } from 'node:url'
import { fileStore, rateEnv, type Store } from '@fusionize/example-kit'
import fc from 'fast-check'
import type { App } from 'fusionize/setup'
import approximateSvd from '../../examples/approximate-svd/tasks/approximate-svd'
import decompose from '../../examples/approximate-svd/tasks/decompose'
import orthonormalise from '../../examples/approximate-svd/tasks/orthonormalise'
import project from '../../examples/approximate-svd/tasks/project'
import sketch from '../../examples/approximate-svd/tasks/sketch'
import svdSplit from '../../examples/approximate-svd/tasks/split'
import signage from '../../examples/iot/tasks/action-signage'
import analyzeSensor from '../../examples/iot/tasks/analyze-sensor'
import checkAccident from '../../examples/iot/tasks/check-accident'
import checkAir from '../../examples/iot/tasks/check-air'
import checkSensor from '../../examples/iot/tasks/check-sensor'
import checkSound from '../../examples/iot/tasks/check-sound'
import checkSoundLevel from '../../examples/iot/tasks/check-sound-level'
import checkTemperature from '../../examples/iot/tasks/check-temperature'
import detectJam from '../../examples/iot/tasks/detect-jam'
import storeEvent from '../../examples/iot/tasks/store-event'
import combine from '../../examples/ml-pipeline/tasks/combine'
import mlPipeline from '../../examples/ml-pipeline/tasks/ml-pipeline'
import pca from '../../examples/ml-pipeline/tasks/pca'
import train from '../../examples/ml-pipeline/tasks/train'
import a from '../../examples/tree/tasks/a'
import b from '../../examples/tree/tasks/b'
import c from '../../examples/tree/tasks/c'
import d from '../../examples/tree/tasks/d'
import e from '../../examples/tree/tasks/e'
import f from '../../examples/tree/tasks/f'
import g from '../../examples/tree/tasks/g'
import analyzeVideo from '../../examples/video-analytics/tasks/analyze-video'
import classify from '../../examples/video-analytics/tasks/classify'
import collect from '../../examples/video-analytics/tasks/collect'
import extract from '../../examples/video-analytics/tasks/extract'
import videoSplit from '../../examples/video-analytics/tasks/split'
import type { Action, ShopRequest } from '../../examples/webshop/lib/request'
import addCartItem from '../../examples/webshop/tasks/add-cart-item'
import cartStorage from '../../examples/webshop/tasks/cart-storage'
import checkout from '../../examples/webshop/tasks/checkout'
import currency from '../../examples/webshop/tasks/currency'
import email from '../../examples/webshop/tasks/email'
import emptyCart from '../../examples/webshop/tasks/empty-cart'
import frontend from '../../examples/webshop/tasks/frontend'
import getAds from '../../examples/webshop/tasks/get-ads'
import getCart from '../../examples/webshop/tasks/get-cart'
import getProduct from '../../examples/webshop/tasks/get-product'
import listProducts from '../../examples/webshop/tasks/list-products'
import listRecommendations from '../../examples/webshop/tasks/list-recommendations'
import payment from '../../examples/webshop/tasks/payment'
import searchProducts from '../../examples/webshop/tasks/search-products'
import shipOrder from '../../examples/webshop/tasks/ship-order'
import shipmentQuote from '../../examples/webshop/tasks/shipment-quote'
import supportedCurrencies from '../../examples/webshop/tasks/supported-currencies'

/** A task whose input and output types do not matter here. */
export interface AnyTask {
  (input: never): Promise<unknown>
  readonly taskName: string
}

/** An example application, at a size at which its work takes next to nothing. */
export interface Example {
  name: 'iot' | 'tree' | 'webshop' | 'video-analytics' | 'approximate-svd' | 'ml-pipeline'
  appDir: string
  tasks: AnyTask[]
  entry: AnyTask
  /** Requests of a run that are made at once, two in turn following. @default what the placement can take */
  atOnce?: number
  /** The `at`-th request of a run: its own ids, so that what it leaves behind can be told apart. */
  requestArbitrary(at: number): fc.Arbitrary<unknown>
  /** The calls that a request makes when nothing goes wrong outside the tasks, as `from mode to`, sorted. */
  callsOf(request: never, app: App): string[]
  /** Environment that makes the tasks use a folder as their store. */
  env(store: string): Record<string, string>
}

const rates = rateEnv()
const folder = (path: string) => fileURLToPath(new URL(`../../examples/${path}`, import.meta.url))
const everyEdge = (app: App) => app.edges.flatMap(({ from, to, modes }) => modes.map((mode) => `${from} ${mode} ${to}`))

export const iot: Example = {
  name: 'iot',
  appDir: folder('iot'),
  tasks: [
    ...[signage, analyzeSensor, checkAccident, checkAir, checkSensor, checkSound, checkSoundLevel, checkTemperature],
    ...[detectJam, storeEvent],
  ],
  entry: analyzeSensor,
  // One in five asks for a sensor that is not installed, and fails in check-sensor.
  requestArbitrary: (at) =>
    fc
      .oneof(
        { weight: 4, arbitrary: fc.nat({ max: 99 }) },
        { weight: 1, arbitrary: fc.integer({ min: 100, max: 999 }) },
      )
      .map((sensor) => ({ sensor: `s-${sensor}`, at })),
  callsOf: (request: { sensor: string }, app) =>
    Number(request.sensor.slice(2)) < 100 ? everyEdge(app).sort() : ['analyze-sensor call check-sensor'],
  env: (store) => ({ ...rates, IOT_SCALE: '0.0005', IOT_STORE: store }),
}

export const tree: Example = {
  name: 'tree',
  appDir: folder('tree'),
  tasks: [a, b, c, d, e, f, g],
  entry: a,
  requestArbitrary: (at) => fc.nat({ max: 1000 }).map((n) => ({ n: n * 1000 + at })),
  callsOf: (_request, app) => everyEdge(app).sort(),
  env: (store) => ({ ...rates, TREE_SCALE: '0.0005', TREE_STORE: store }),
}

/** The ends of the shop's paths, and somebody who asks for what there is not. */
const shopping: readonly (Action | 'missing')[] = [
  'home',
  'cart',
  'add',
  'checkout',
  'pay',
  'product',
  'search',
  'missing',
]

export const webshop: Example = {
  name: 'webshop',
  appDir: folder('webshop'),
  tasks: [
    ...[addCartItem, cartStorage, checkout, currency, email, emptyCart, frontend, getAds, getCart, getProduct],
    ...[listProducts, listRecommendations, payment, searchProducts, shipOrder, shipmentQuote, supportedCurrencies],
  ],
  entry: frontend,
  atOnce: shopping.length - 2,
  // A run of eight does everything there is to do, each time for a customer of its own: two that share a cart race for it.
  requestArbitrary: (at) =>
    fc
      .record({ currency: fc.constantFrom('EUR', 'JPY'), product: fc.integer({ min: 1, max: 11 }) })
      .map(({ currency, product }) =>
        shopRequest(shopping[at % shopping.length] as (typeof shopping)[number], `u-${at}`, currency, `p-${product}`),
      ),
  callsOf: (request: ShopRequest) => shopCalls(request).sort(),
  env: (store) => ({ ...rates, WEBSHOP_SCALE: '0.0005', WEBSHOP_STORE: store }),
}

/** Nothing is ordered yet that could be paid: who wants to gets an error, too. */
function shopRequest(
  does: (typeof shopping)[number],
  user: string,
  currency: 'EUR' | 'JPY',
  product: string,
): ShopRequest {
  const common = { user, currency }
  switch (does) {
    case 'add':
      return { ...common, action: does, item: 'i-1', product, quantity: 2 }
    case 'checkout':
    case 'pay':
      return { ...common, action: does, order: `o-${user}` }
    case 'product':
      return { ...common, action: does, product }
    case 'missing':
      return { ...common, action: 'product', product: notSold }
    case 'search':
      return { ...common, action: does, words: 'brass' }
    default:
      return { ...common, action: does }
  }
}

const notSold = 'p-12'

function shopCalls(request: ShopRequest): string[] {
  const times = (n: number, call: string) => Array.from({ length: n }, () => call)
  const cart = (from: string) => [`${from} call get-cart`, 'get-cart call cart-storage']
  const from = (task: string, calls: readonly string[]) => calls.map((call) => `${task} ${call}`)
  switch (request.action) {
    case 'home':
      return [
        ...from('frontend', [
          'call supported-currencies',
          'call list-products',
          'call get-ads',
          'call list-recommendations',
        ]),
        ...times(11, 'frontend map currency'),
        ...cart('frontend'),
        'list-recommendations call list-products',
      ]
    case 'cart':
      return [...cart('frontend'), 'frontend call shipment-quote']
    case 'add':
      return [...cart('frontend'), 'frontend send add-cart-item', 'add-cart-item send cart-storage']
    case 'checkout':
      return [
        'frontend send checkout',
        ...cart('checkout'),
        ...from('checkout', ['call list-products', 'call shipment-quote', 'call currency']),
        // What everybody has in the cart.
        ...times(2, 'checkout map currency'),
        ...from('checkout', ['send ship-order', 'send email', 'send empty-cart']),
        'empty-cart send cart-storage',
      ]
    case 'pay':
      return ['frontend call payment']
    case 'product':
      return ['frontend call get-product', ...(request.product === notSold ? [] : ['frontend call currency'])]
    case 'search':
      return ['frontend call search-products']
  }
}

export const videoAnalytics: Example = {
  name: 'video-analytics',
  appDir: folder('video-analytics'),
  tasks: [analyzeVideo, classify, collect, extract, videoSplit],
  entry: analyzeVideo,
  requestArbitrary: () =>
    fc.record({ video: fc.nat({ max: 3 }), chunks: fc.integer({ min: 1, max: 3 }), frames: fc.constant(2) }),
  callsOf: ({ chunks }: { chunks: number }, app) =>
    everyEdge(app)
      .flatMap((call) => Array.from({ length: /extract/.test(call) ? chunks : 1 }, () => call))
      .sort(),
  env: (store) => ({ VIDEO_SCALE: '0.1', VIDEO_STORE: store }),
}

export const approximateSvdApp: Example = {
  name: 'approximate-svd',
  appDir: folder('approximate-svd'),
  tasks: [approximateSvd, decompose, orthonormalise, project, sketch, svdSplit],
  entry: approximateSvd,
  requestArbitrary: () =>
    fc.record({
      ...{ matrix: fc.nat({ max: 3 }), rows: fc.constant(60), columns: fc.constant(14) },
      ...{ values: fc.constant(3), blocks: fc.integer({ min: 1, max: 4 }) },
    }),
  callsOf: ({ blocks }: { blocks: number }, app) =>
    everyEdge(app)
      .flatMap((call) => Array.from({ length: / map /.test(call) ? blocks : 1 }, () => call))
      .sort(),
  env: (store) => ({ SVD_STORE: store }),
}

export const mlPipelineApp: Example = {
  name: 'ml-pipeline',
  appDir: folder('ml-pipeline'),
  tasks: [combine, mlPipeline, pca, train],
  entry: mlPipeline,
  atOnce: 1,
  requestArbitrary: () =>
    fc.record({
      ...{ dataset: fc.nat({ max: 1 }), training: fc.constant(100), testing: fc.constant(100) },
      forests: fc.integer({ min: 1, max: 3 }),
    }),
  callsOf: ({ forests }: { forests: number }, app) =>
    everyEdge(app)
      .flatMap((call) => Array.from({ length: / map /.test(call) ? forests : 1 }, () => call))
      .sort(),
  env: (store) => ({ ML_STORE: store }),
}

export function storeAt(folder: string): Store {
  return fileStore(() => folder)
}
