/** A file that a target writes. */
export interface GeneratedFile {
  /** Path below the target's folder. */
  readonly name: string;
  readonly content: string;
}
