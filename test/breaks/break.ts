/** A deliberate fault: one change to `src`. */
export interface Break {
  /** What the fault is. */
  readonly name: string
  /** Text that occurs exactly once in all of `src`, and what stands there instead. */
  readonly find: string
  readonly replace: string
  /** The test that fails: its file, in `test`, and its title or a part of it. */
  readonly caught: { readonly file: string; readonly title: string }
}
