/** The newest things of a kind, numbered from 1: the bound of everything the dashboard remembers. */
export class Ring<T> {
  readonly #slots: (T | undefined)[] = [];
  readonly #size: number;
  readonly #onDrop: ((dropped: T) => void) | undefined;
  #last = 0;
  #first = 1;

  /**
   * @param size most things that are kept
   * @param onDrop told of each that gives way to a newer one
   */
  constructor(size: number, onDrop?: (dropped: T) => void) {
    this.#size = size;
    this.#onDrop = onDrop;
  }

  /** Position of the oldest thing that is kept; last + 1 when there is none. */
  get first(): number {
    return this.#first;
  }

  /** Position of the newest thing; 0 when nothing ever came. */
  get last(): number {
    return this.#last;
  }

  /** How many gave way to newer ones. */
  get dropped(): number {
    return this.#first - 1;
  }

  /** As the contract has it. */
  get range(): { first: bigint; last: bigint; dropped: bigint } {
    return { first: BigInt(this.#first), last: BigInt(this.#last), dropped: BigInt(this.dropped) };
  }

  /** @returns what was made, at the position it got */
  push(make: (position: number) => T): T {
    const position = this.#last + 1;
    const thing = make(position);
    if (position - this.#first === this.#size) this.dropFirst();
    this.#slots[position % this.#size] = thing;
    this.#last = position;
    return thing;
  }

  /** Lets the oldest thing go before its time. Not for an empty ring. */
  dropFirst(): void {
    const slot = this.#first % this.#size;
    this.#onDrop?.(this.#slots[slot] as T);
    this.#slots[slot] = undefined;
    this.#first++;
  }

  /** The thing at a position; undefined when it is not kept. */
  at(position: number): T | undefined {
    return position < this.#first || position > this.#last ? undefined : this.#slots[position % this.#size];
  }

  /** Forward from the first position after `after`. */
  *after(after: number): Generator<T> {
    for (let position = Math.max(after + 1, this.#first); position <= this.#last; position++)
      yield this.#slots[position % this.#size] as T;
  }

  /** Backward from the last position before `before`; 0: from the newest. */
  *before(before: number): Generator<T> {
    const newest = before > 0 ? Math.min(before - 1, this.#last) : this.#last;
    for (let position = newest; position >= this.#first; position--)
      yield this.#slots[position % this.#size] as T;
  }
}
