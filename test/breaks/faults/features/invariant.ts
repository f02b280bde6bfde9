/** Faults in `src/internal/features/invariant.ts`. */
import type { Break } from "../../break.ts"

const file = "invariant.test.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an invariant is asked about a withdrawal",
    find: "if (!putsIn(transaction)) return Effect.void",
    replace: "",
    caught: { file, title: "of a withdrawal by unregister" }
  },
  {
    name: "an invariant is asked about what comes back",
    find: "      Contents.current(base, entry.registration) !== entry ||\n",
    replace: "      true ||\n",
    caught: { file, title: "of a scope that closes, and of what that brings back" }
  },
  {
    name: "an invariant is asked about what came and went",
    find: "Contents.current(draft, entry.registration) === entry && ",
    replace: "",
    caught: { file, title: "is not asked where no item came or changed" }
  },
  {
    name: "an invariant is not asked about replacements",
    find: " : step._tag === \"Swapped\" && isNew(step.entry)",
    replace: " : false",
    caught: { file, title: "refuses replace: it fails with the error of the invariant" }
  },
  {
    name: "an invariant is not asked about what is hidden",
    find: " || draft.withheld !== base.withheld && draft.withheld?.entries.some(isNew) === true",
    replace: "",
    caught: { file, title: "but is asked about what an override hides" }
  },
  {
    name: "an invariant is given a draft that is not kept",
    find: "    transaction.see()\n    const checked",
    replace: "    const checked",
    caught: { file, title: "gets snapshots that stay as they are" }
  },
  {
    name: "an invariant does not see what is disabled",
    find: "if (disabled.length === 0) return snapshotOf(contents)",
    replace: "return snapshotOf(contents)",
    caught: { file, title: "sees it: an item may refer to what is disabled" }
  },
  {
    name: "an invariant is not asked about what is enabled",
    find: "!irrevocable && base.withheld?.reasonOf(entry) !== undefined && Contents.holds(draft, entry)",
    replace: "false",
    caught: { file, title: "is asked about what is enabled" }
  },
  {
    name: "an invariant is asked about what a closing scope enables",
    find: "!irrevocable && base.withheld",
    replace: "base.withheld",
    caught: { file, title: "is not asked about what a scope enables that closes" }
  },
  {
    name: "an invariant fails a withdrawal with an error that is not in its type",
    find: ": Effect.orDie(checked)",
    replace: ": checked",
    caught: { file, title: "unregister: nothing has changed" }
  }
]
