/** A number of items and their total size. */
export interface Amount {
  readonly count: number;
  readonly bytes: number;
}
