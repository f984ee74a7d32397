// What the charts are drawn from: the run's counters over the time this page has been open, in bounded memory.

/** When there are as many, every second one is dropped: the whole time stays, more coarsely. */
const SAMPLES_MAX = 480;
/** A rate over less time than this jumps too much to be read. */
const RATE_MILLIS_MIN = 5_000;

export class Samples {
  #samples = [];
  #intervalMillis = 1_000;
  #current = null;

  /** Takes the counters of now, if the last sample is old enough. Answers whether it did. */
  take({ completed, failed, running, run }, now = Date.now()) {
    const last = this.#samples.at(-1);
    if (last !== undefined && now - last.at < this.#intervalMillis) return false;
    this.#current = null;
    this.#samples.push({ at: now, completed, failed, running, run });
    if (this.#samples.length >= SAMPLES_MAX) {
      this.#samples = this.#samples.filter((_, index) => index % 2 === 0);
      this.#intervalMillis *= 2;
    }
    return true;
  }

  /** Products per second just now; NaN when too little is known. */
  currentRate() {
    this.#current ??= this.rates().at(-1)?.value ?? NaN;
    return this.#current;
  }

  /** `{at, value}` products per second; value null where nothing ran. */
  rates() {
    return this.#differences((from, to) => (to.completed - from.completed) / ((to.at - from.at) / 1000));
  }

  /** `{at, value}` percent of the products finished in between that got a price; null where none finished. */
  successes() {
    return this.#differences((from, to) => {
      const finished = to.completed - from.completed;
      return finished === 0 ? null : ((finished - (to.failed - from.failed)) * 100) / finished;
    });
  }

  #differences(measure) {
    const points = [];
    let from = 0;
    for (let to = 1; to < this.#samples.length; to += 1) {
      const [before, now] = [this.#samples[to - 1], this.#samples[to]];
      // Across the border of two runs, or of resting and running, a difference means nothing.
      if (!before.running || before.run !== now.run || now.completed < before.completed || now.failed < before.failed) {
        from = to;
        points.push({ at: now.at, value: null });
        continue;
      }
      while (from + 1 < to && now.at - this.#samples[from + 1].at >= RATE_MILLIS_MIN) from += 1;
      points.push({ at: now.at, value: measure(this.#samples[from], now) });
    }
    return points;
  }
}
