import fc from 'fast-check'
import { expect, test } from 'vitest'
import { adsPerCampaign, campaignNames, campaignOf, campaigns } from './campaigns.js'
import { checkWindows, countByCampaign, type WindowCount } from './check.js'
import { type AdEvent, adEvents, eventTypes } from './events.js'

test('events follow from the seed and their number, however they are asked for', () => {
  fc.assert(
    fc.property(fc.nat(), fc.nat(1_000), fc.nat(50), fc.nat(50), (seed, first, a, b) => {
      const parts = [...adEvents({ seed, first, count: a }), ...adEvents({ seed, first: first + a, count: b })]
      expect(adEvents({ seed, first, count: a + b })).toEqual(parts)
    }),
    { numRuns: 50 },
  )
  expect(adEvents({ seed: 1, count: 20 }).map(({ ad }) => ad)).not.toEqual(
    adEvents({ seed: 2, count: 20 }).map(({ ad }) => ad),
  )
})

test('types, ads and campaigns are drawn evenly, and ids are unique', () => {
  const events = adEvents({ seed: 3, count: 30_000 })
  expect(new Set(events.map(({ id }) => id)).size).toBe(events.length)
  for (const type of eventTypes)
    expect(events.filter((event) => event.type === type).length / events.length).toBeCloseTo(1 / 3, 1)
  const counts = countByCampaign(events, eventTypes)
  expect(Object.keys(counts).sort()).toEqual([...campaignNames].sort())
  for (const n of Object.values(counts)) expect(Math.abs(n - 3_000)).toBeLessThan(300)
})

test('every campaign has as many ads, and other ads have no campaign', () => {
  const of = Array.from({ length: campaigns * adsPerCampaign }, (_, ad) => campaignOf(`ad-${ad}`))
  for (const name of campaignNames) expect(of.filter((campaign) => campaign === name)).toHaveLength(adsPerCampaign)
  expect(campaignOf('ad-100')).toBeUndefined()
})

const views = adEvents({ seed: 5, count: 400 }).filter(({ type }) => type === 'view')

/** A correct count of the events, cut into windows at these places. */
function windowsOf(events: readonly AdEvent[], cuts: readonly number[]): WindowCount[] {
  const places = [0, ...[...cuts].sort((a, b) => a - b), events.length]
  return places.slice(1).map((end, i) => {
    const part = events.slice(places[i], end)
    return { events: part.map(({ id }) => id), campaigns: countByCampaign(part, eventTypes) }
  })
}

const someCuts = fc.array(fc.nat(views.length), { maxLength: 5 })

test('a correct count passes, wherever the windows end', () => {
  fc.assert(
    fc.property(someCuts, (cuts) => {
      expect(checkWindows(adEvents({ seed: 5, count: 400 }), ['view'], windowsOf(views, cuts))).toEqual([])
    }),
  )
})

test('an event that is lost, counted twice, moved to another campaign or invented is found', () => {
  fc.assert(
    fc.property(someCuts, fc.nat(views.length - 1), (cuts, i) => {
      const view = views[i] as AdEvent
      const without = views.filter((other) => other !== view)
      expect(checkWindows(views, ['view'], windowsOf(without, cuts)).join()).toContain(`in no window: ${view.id}`)
      expect(checkWindows(views, ['view'], windowsOf([...views, view], cuts)).join()).toContain(
        `more than once: ${view.id}`,
      )
      const strange = { ...view, id: 'strange' }
      expect(checkWindows(views, ['view'], windowsOf([...views, strange], cuts)).join()).toContain(
        'not among the events',
      )
      const other = views.find(({ ad }) => campaignOf(ad) !== campaignOf(view.ad)) as AdEvent
      const moved = views.map((event) => (event === view ? { ...event, ad: other.ad } : event))
      expect(checkWindows(views, ['view'], windowsOf(moved, cuts))).toHaveLength(2)
    }),
    { numRuns: 50 },
  )
})

test('a count that does not fit its events is found', () => {
  const [window] = windowsOf(views, []) as [WindowCount]
  const campaign = campaignNames[4] as string
  const wrong = { ...window, campaigns: { ...window.campaigns, [campaign]: (window.campaigns[campaign] ?? 0) + 1 } }
  expect(checkWindows(views, ['view'], [wrong])).toEqual([expect.stringContaining(`${campaign}: `)])
})
