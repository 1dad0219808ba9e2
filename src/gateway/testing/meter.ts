import type { UpstreamMeter } from '../upstream/metering.ts';

/** Records all calls. */
export class RecordingMeter implements UpstreamMeter {
  bytes = 0;
  readonly statuses: number[] = [];
  lost = 0;
  left: number | undefined;

  received(bytes: number): void {
    this.bytes += bytes;
  }

  responded(status: number): void {
    this.statuses.push(status);
  }

  unanswered(): void {
    this.lost++;
  }

  remaining(requests: number): void {
    this.left = requests;
  }
}
