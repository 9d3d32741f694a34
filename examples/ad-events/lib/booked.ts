/** An event to count, as it goes into the bucket. */
export interface Booked {
  campaign: string
}

/** An event with the campaign of its ad. */
export interface BookedEvent extends Booked {
  id: string
}
