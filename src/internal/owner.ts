import * as Context from "effect/Context"

/**
 * Who registers.
 *
 * @internal
 */
export const Owner: Context.Reference<string> = /*#__PURE__*/ Context.Reference<string>("effect-registry/Owner", {
  defaultValue: () => ""
})

/**
 * Where entries come from: all that one operation put in share one.
 *
 * @internal
 */
export class Origin {
  readonly owner: string
  /** The revision that the entry is in from. */
  readonly revision: number
  /** Whether it is a layer above everything that was there. */
  readonly override: boolean

  constructor(owner: string, revision: number, override: boolean) {
    this.owner = owner
    this.revision = revision
    this.override = override
  }
}

/**
 * The same of an override.
 *
 * @internal
 */
export const overriding = ({ owner, revision }: Origin): Origin => new Origin(owner, revision, true)
