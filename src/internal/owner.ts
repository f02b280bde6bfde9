import * as Context from "effect/Context"

/**
 * Who registers.
 *
 * @internal
 */
export const Owner: Context.Reference<string> = Context.Reference<string>("effect-registry/Owner", {
  defaultValue: () => ""
})

/**
 * Where entries come from: all that one operation put in share one.
 *
 * @internal
 */
export interface Origin {
  readonly owner: string
  /** The revision that the entry is in from. */
  readonly revision: number
  /** Whether it is a layer above everything that was there. */
  readonly override: boolean
}
