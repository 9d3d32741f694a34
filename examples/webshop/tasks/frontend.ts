import { task } from 'fusionize'
import { withItem } from '../lib/cart'
import type { Currency } from '../lib/money'
import { type ShopRequest, shopRequest } from '../lib/request'
import addCartItem from './add-cart-item'
import checkout from './checkout'
import currency from './currency'
import getAds from './get-ads'
import getCart from './get-cart'
import getProduct from './get-product'
import listProducts from './list-products'
import listRecommendations from './list-recommendations'
import payment from './payment'
import searchProducts from './search-products'
import shipmentQuote from './shipment-quote'
import supportedCurrencies from './supported-currencies'

/** The shop's face: every page and every button. */
export default task('frontend', { http: 'POST /shop/:action', input: shopRequest }, async (request) => {
  const { user, currency: to = 'USD' } = request
  switch (request.action) {
    case 'home':
      return home(user, to)
    case 'cart': {
      const cart = await getCart(user)
      return { cart, shipping: await shipmentQuote(cart.items) }
    }
    case 'add':
      return add(request)
    case 'checkout':
      await checkout.send({ user, order: request.order, currency: to })
      return { order: request.order, accepted: true }
    case 'pay':
      return payment({ user, order: request.order })
    case 'product': {
      const product = await getProduct(request.product)
      return { ...product, price: await currency({ amount: product.price, to }) }
    }
    case 'search':
      return { products: await searchProducts(request.words) }
  }
})

async function home(user: string, to: Currency) {
  const currencies = await supportedCurrencies()
  const products = await listProducts()
  const prices = await currency.map(products.map(({ price }) => ({ amount: price, to })))
  const ads = await getAds(user)
  const cart = await getCart(user)
  const recommendations = await listRecommendations(cart.items.map(({ product }) => product))
  return {
    currencies,
    products: products.map(({ id, name }, i) => ({ id, name, price: prices[i] })),
    ads,
    cart,
    recommendations,
  }
}

/** The page shows the item whether it is in the cart already or still on its way there. */
async function add({ user, item, product, quantity }: Extract<ShopRequest, { action: 'add' }>) {
  const added = { item, product, quantity }
  await addCartItem.send({ user, added })
  return { cart: withItem(await getCart(user), added) }
}
