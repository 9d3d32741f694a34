/** Campaigns, and ads in each; the sizes of the published benchmark's smallest setting. */
export const campaigns = 10
export const adsPerCampaign = 10

/** Names of all campaigns, in order. */
export const campaignNames: readonly string[] = Array.from({ length: campaigns }, (_, c) => `campaign-${c}`)

const campaignOfAd = new Map(
  Array.from({ length: campaigns * adsPerCampaign }, (_, ad) => [`ad-${ad}`, `campaign-${(ad * 7 + 3) % campaigns}`]),
)

/** The campaign that an ad belongs to; undefined for an ad that nobody has booked. */
export function campaignOf(ad: string): string | undefined {
  return campaignOfAd.get(ad)
}
