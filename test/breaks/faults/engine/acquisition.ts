/** Faults of what belongs to which registration, in `src/internal/engine/acquiring.ts` and where it is used. */
import type { Break } from "../../break.ts"

const file = "acquiredFor.test.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "acquire: a replacement by the same object keeps what was acquired for what it was",
    find: "      const previous = held.get(registration)\n      if (previous !== undefined) ended.add(previous)\n",
    replace: "      if (held.has(registration)) continue\n",
    caught: {
      file,
      title: "a replacement by the same object, which has changed, has what was acquired for it now"
    }
  },
  {
    name: "acquire: what a replacement by the same object gives up is never released",
    find: "      if (previous !== undefined) ended.add(previous)\n",
    replace: "",
    caught: {
      file,
      title: "a replacement by the same object, which has changed, has what was acquired for it now"
    }
  },
  {
    name: "acquire: what a nested transaction acquired is lost to the one around it",
    find: "  Acquiring.handOver(transaction)\n",
    replace: "",
    caught: {
      file,
      title: "what succeeds in a nested transaction is that of the one around it, a lease there too"
    }
  },
  {
    name: "acquire: a lease in a transaction is of what is published",
    find: "for (let one = transaction; one !== undefined; one = one.parent) {\n    const bound",
    replace: "for (let one = undefined; one !== undefined; one = one.parent) {\n    const bound",
    caught: {
      file,
      title: "what succeeds in a nested transaction is that of the one around it, a lease there too"
    }
  },
  {
    name: "acquire: of an object that is hidden twice, one registration has what is the other's",
    find: "isSame(entry.item, item) && !(newest !== undefined && newest.id > entry.id) ? entry : newest,",
    replace: "isSame(entry.item, item) ? newest ?? entry : newest,",
    caught: { file, title: "so it does where overrides hide both" }
  },
  {
    name: "acquire: an item whose rule ends while others are acquired goes in without what it needs",
    find: " || needs(move))) {",
    replace: ")) {",
    caught: { file, title: "a rule that ends meanwhile: what goes in enabled has what it needs" }
  },
  {
    name: "acquire: hooks that are added acquire twice for what they replace meanwhile",
    find: " && known?.scopes.has(part) !== true)",
    replace: ")",
    caught: {
      file,
      title: "hooks that are added acquire once for what they themselves replace by the same object"
    }
  },
  {
    name: "acquire: the defect of a hook is lost where a closing scope enables",
    find:
      "transaction.defects = Cause.combine(transaction.defects, Cause.fromReasons(defects))\n      return keepRules",
    replace: "return keepRules",
    caught: { file, title: "an acquire that dies where a closing scope enables" }
  },
  {
    name: "acquire: the failure of one interrupts the release of another, side by side",
    find: "Effect.uninterruptible(acquireOne(item) ?? Effect.void)",
    replace: "acquireOne(item) ?? Effect.void",
    caught: {
      file: "acquire.test.ts",
      title: "one that fails releases what it had acquired, though the failure of another interrupts it meanwhile"
    }
  },
  {
    name: "acquire: what a population acquired is released before what its items acquired",
    find: "for (const next of [released(transaction, true), emptied]) {",
    replace: "for (const next of [emptied, released(transaction, true)]) {",
    caught: {
      file: "acquire.test.ts",
      title: "is released before what its population acquired: with a reset"
    }
  },
  {
    name: "acquire: what a population that fails acquired is released before what its items acquired",
    find: "scopes.length === 0 ? [] : releasing()",
    replace: "releasing().slice(0, 0)",
    caught: {
      file: "acquire.test.ts",
      title: "is released before what its population acquired: when the population fails"
    }
  },
  {
    name: "acquire: what a transaction acquired is released in the order in which it was acquired",
    find: "new Set(Array.from(fresh).toReversed())",
    replace: "new Set(fresh)",
    caught: {
      file: "acquire.test.ts",
      title: "is released before what its population acquired: when a transaction is undone"
    }
  },
  {
    name: "acquire: what was acquired for an item that has gone is released, and not forgotten",
    find: "      held.delete(registration)\n",
    replace: "",
    caught: { file: "acquire.test.ts", title: "G10 leaves nothing behind, whether it is acquired or not" }
  }
]
