/** What users see of a snapshot: a type alone. Events have it, so it imports nothing of theirs. */
import type * as Inspectable from "effect/Inspectable"
import type * as Pipeable from "effect/Pipeable"
import type * as Types from "effect/Types"

declare const SnapshotTypeId: unique symbol

/**
 * The items of a registry at one revision.
 *
 * @category models
 * @since 0.1.0
 */
export interface RegistrySnapshot<out Item, in out Lookups>
  extends Iterable<Item>, Pipeable.Pipeable, Inspectable.Inspectable
{
  readonly [SnapshotTypeId]: { readonly _Lookups: Types.Invariant<Lookups> }
}
