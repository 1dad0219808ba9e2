import { outcome } from '../../usage/index.ts';
import type { ProgramFile, ProgramStatement } from '../../sqlite/index.ts';
import type { Day } from '../../usage/index.ts';

/**
 * In which batch the events of a run counted, and which of them counted nothing because another instance received them
 * first. A void depends on both: it must take back what its event really added.
 */
export class CountedRuns {
  readonly #insert: ProgramStatement;
  readonly #select: ProgramStatement;
  readonly #drop: ProgramStatement;
  readonly #findRejected: ProgramStatement;

  constructor(file: ProgramFile) {
    this.#insert = file.prepare('insert into counted_run (run, batch, verdicts) values (?, ?, ?)');
    this.#select = file.prepare('select batch, verdicts from counted_run where run = ?');
    this.#drop = file.prepare(
      'delete from counted_run where run < (select min(run) from key_run) or not exists (select 1 from key_run)',
    );
    this.#findRejected = file.prepare(
      'select 1 from rejected where series = ? and day = ? and ? between first_run and last_run limit 1',
    );
  }

  /** Records that the events of a run count in this batch. `verdicts`: one for each entry, unless all count. */
  note(run: number, batch: number, verdicts?: Uint8Array): void {
    const isWhole = verdicts?.every((verdict) => verdict === outcome.accepted) ?? true;
    this.#insert.run(run, batch, isWhole || verdicts === undefined ? null : verdicts);
  }

  /** The batch in which the events of a run counted; `undefined` if that is not known. */
  batchOf(run: number): number | undefined {
    const batch = this.#select.all(run)[0]?.[0];
    return batch === undefined ? undefined : Number(batch);
  }

  /** Whether this ledger added the event: not if another instance received it first, or if the sum would have overflowed. */
  hasCounted({ run, position }: { run: number; position: number }, series: number, day: Day): boolean {
    const verdicts = this.#select.all(run)[0]?.[1];
    if (verdicts instanceof Uint8Array && verdicts[position] !== outcome.accepted) return false;
    return this.#findRejected.all(series, day, run).length === 0;
  }

  /** Deletes the records of runs that were dropped. */
  dropOld(): void {
    this.#drop.run();
  }
}
