/** Who sends events: what of their credentials matters here. */
export interface Sender {
  /** The organisation of the credentials: the tenant of all that they send. Absent: they are bound to none. */
  readonly tenant?: string;
  /** Whether they may write for other organisations than their own, and take back what others sent. */
  readonly admin: boolean;
}
