/** Earlier changes of a shared registry, from its log. */
import * as Effect from "effect/Effect"
import type { LogError } from "../../shared/RegistryLog.ts"
import { Change } from "../engine/change.ts"
import type { Core, Told } from "../engine/core.ts"
import { copy } from "../store/contents.ts"
import type { Contact } from "./contact.ts"
import { Fold } from "./fold.ts"
import { load } from "./loading.ts"
import { type Codec, Mirror } from "./mirror.ts"
import { everythingIn, sync } from "./syncing.ts"

/**
 * The changes after a revision, up to one that is published; nothing where the log does not say them any more, or where it
 * has another record at that revision.
 */
export const changesAfter = <Item>(
  { definition, nothing }: Core<Item>,
  contact: Contact,
  codec: Codec<Item>,
  revision: number,
  record: string | undefined,
  last: number
): Effect.Effect<ReadonlyArray<Told<Item>> | undefined, LogError> =>
  Effect.map(load(contact, new Fold(), { revision }), (loaded) => {
    if (loaded === undefined || loaded.fold.revision !== revision) return undefined
    const { fold, records } = loaded
    if (record !== undefined && record !== fold.id) return undefined
    const mirror = new Mirror(definition, codec)
    let { contents } = sync(mirror, nothing, fold, everythingIn(mirror, fold), "")
    const told: Array<Told<Item>> = []
    for (const [id, next] of records.slice(0, last - revision)) {
      const folded = fold.take(id, next)
      const synced = sync(mirror, contents, fold, folded, next.by ?? "")
      contents = copy(synced.contents, { revision: fold.revision })
      told.push({ change: new Change(contents, synced.steps, 0), contents })
    }
    return told.length === last - revision ? told : undefined
  })
