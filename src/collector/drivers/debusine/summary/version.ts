/** Version of the tables and buckets of the summary. Raised when they change, so that no other release misreads them. */
export const summaryVersion = 1;
