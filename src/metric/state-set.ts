import type { StateSetPoint } from './family.ts';
import type { Instrument } from './instrument.ts';
import type { LabelSet } from './labels.ts';
import { misuse, shown } from './misuse.ts';

/** One series of a state set: named booleans. With `enter` it is an enum: exactly one state is on. */
export class StateSet<State extends string = string> implements StateSetPoint {
  readonly labels: LabelSet;
  readonly states: readonly State[];
  readonly on: readonly boolean[];
  readonly #on: boolean[];
  readonly #instrument: Instrument;

  constructor(instrument: Instrument, labels: LabelSet, states: readonly State[]) {
    this.#instrument = instrument;
    this.labels = labels;
    this.states = states;
    this.#on = states.map(() => false);
    this.on = this.#on;
  }

  /** Turns one state on or off. */
  set(state: State, on: boolean): void {
    this.#on[this.#indexOf(state)] = on;
  }

  /** Turns one state on and all others off. */
  enter(state: State): void {
    const entered = this.#indexOf(state);
    this.#on.fill(false);
    this.#on[entered] = true;
  }

  #indexOf(state: State): number {
    const index = this.states.indexOf(state);
    if (index >= 0) return index;
    return misuse(
      this.#instrument.subjectOf(this.labels),
      `has no state ${shown(state)}; its states: ${this.states.join(', ')}`,
    );
  }
}
