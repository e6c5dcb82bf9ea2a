/**
 * A service in another language than TypeScript. The contract is the same, and so are its port, its database, its
 * certificate and every variable of its environment (mesh/runtime/config.ts): the runner replaces the program, and
 * nothing else. `npm start -- --impl NAME=LANGUAGE` chooses it.
 */
export type Implementation = {
  /**
   * Makes the program runnable; quick when it is already.
   *
   * @param root of the repository
   * @throws NotBuilt
   */
  build(root: string): Promise<void>;
  /** Program and arguments; absolute paths, given the root of the repository. */
  command(root: string): string[];
  /** Settings of the language, such as where its modules lie. */
  environment?(root: string): Record<string, string>;
};

/** A program could not be built; the message says what is missing, or the compiler's reason. */
export class NotBuilt extends Error {}

/** A service's implementations besides the TypeScript one, by language. */
export type Implementations = Readonly<Record<string, Implementation>>;
