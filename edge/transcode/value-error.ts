/** A value the schema does not take. Every level it passes through adds its name, so the path is complete at the top. */
export class ValueError extends Error {
  readonly #path: string[] = [];
  readonly reason: string;

  constructor(reason: string) {
    super(reason);
    this.reason = reason;
  }

  /** Adds the name of the enclosing field in front; returns itself for `throw`. */
  within(name: string): this {
    this.#path.unshift(name);
    return this;
  }

  /** Field path as the caller wrote it; "" when the fault is not in one field. */
  get field(): string {
    return this.#path.join(".");
  }
}
