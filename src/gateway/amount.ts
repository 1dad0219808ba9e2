/** Things that are there, and the bytes that they take. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}
