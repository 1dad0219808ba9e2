/** The sender of events. */
export interface Sender {
  /** The organisation of the credentials, which is the tenant of their events. Absent: none. */
  readonly tenant?: string;
  /** Whether the sender may write for other organisations and void their events. */
  readonly admin: boolean;
}
