/** What travels through the tree. */
export interface Leaf {
  /** Names the request. */
  n: number
  /** What was computed so far; every task changes it in its own way, so that the reply shows who took part. */
  value: number
}
