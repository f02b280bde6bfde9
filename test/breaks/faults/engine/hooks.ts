/** Faults in `src/internal/engine/hooks.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "hooks are undone in the order in which they were called",
    find: "const playingBack = calls.toReversed().map(",
    replace: "const playingBack = calls.map(",
    caught: { file: "atomicity.test.ts", title: "G7 registerAll is all or nothing, hooks included" }
  },
  {
    name: "hooks run with the services of their caller",
    find: "  const services = servicesOf(part, fiber.cache.scheduler)\n  // interruptible",
    replace: "  const services = fiber.context\n  // interruptible",
    caught: {
      file: "hooks.test.ts",
      title: "hooks run with the services where they were defined, and in the transaction of"
    }
  },
  {
    name: "a part is undone that had not completed",
    find: "surviving(transaction, running, ended) : Effect.flatMap(running, () => ended(false))",
    replace: "surviving(transaction, running, ended) : Effect.andThen(ended(false), running)",
    caught: {
      file: "hooks.test.ts",
      title: "G20 each part of combined hooks is rolled back by itself: only its completed calls"
    }
  },
  {
    name: "an interruption fits between a hook and the record that it has completed",
    find: "const restored = transaction.restore(effect)",
    replace: "const restored = transaction.restore(Effect.tap(effect, () => Effect.void))",
    caught: { file: "sweeps.test.ts", title: "G7, G20 register, with hooks, from outside" }
  },
  {
    name: "hooks that were removed in the same operation are still called",
    find: "return part.state === \"installed\" ? tellPart(transaction, part, news) : undefined",
    replace: "return tellPart(transaction, part, news)",
    caught: {
      file: "hooks.test.ts",
      title: "G21 a hook that is removed by another in the same operation is not called any more"
    }
  },
  {
    name: "hooks of unregistration run in installation order",
    find: "parts.length > 1 && /Un|Res/.test(hook) ? parts.toReversed() : parts",
    replace: "/none/.test(hook) ? parts.toReversed() : parts",
    caught: {
      file: "hooks.test.ts",
      title: "G21 hooks of registration and population run in order, those of unregistration"
    }
  },
  {
    name: "a hook of an item is called before it though it was removed",
    find: "const running = part.state === \"installed\" ? callPart(transaction, part, hook, item) : undefined",
    replace: "const running = callPart(transaction, part, hook, item)",
    caught: { file: "caught.test.ts", title: "G21 a hook that is removed before its turn is not called" }
  },
  {
    name: "a hook of the registry is called though it was removed",
    find: "const effect = part.state === \"installed\" ? part.handlers[hook] : undefined",
    replace: "const effect = part.handlers[hook]",
    caught: { file: "caught.test.ts", title: "G21 a hook that is removed before its turn is not called" }
  },
  {
    name: "hooks are told of a change that another hook has undone",
    find: "!transaction.inHook && !outermost.unsettled) {",
    replace: "!transaction.inHook) {",
    caught: {
      file: "lastWord.test.ts",
      title: "withdraws the item that it is told of: those after it hear nothing of it"
    }
  },
  {
    name: "a nested operation believes that hooks know what came before it",
    find: "hooks === outermost.hooks && !transaction.inHook &&",
    replace: "hooks === outermost.hooks &&",
    caught: {
      file: "lastWord.test.ts",
      title: "withdraws the item that it is told of: those after it hear nothing of it"
    }
  },
  {
    name: "a child of a hook believes, between two calls, that hooks know what they have not been told yet",
    find: "this.inHook = parent !== undefined && (parent.untold || parent.inHook)",
    replace: "this.inHook = parent !== undefined && (parent.telling !== undefined || parent.inHook)",
    caught: {
      file: "lastWord.test.ts",
      title: "a child of a hook unregisters an item in a pause of a reconcile: no hook is told that it went"
    }
  },
  {
    name: "news of an item are told in the call for it",
    find: "if (one === transaction || telling?.part !== part) continue",
    replace: "if (telling === undefined || telling.later.length >= 0) continue",
    caught: { file: "lastWord.test.ts", title: "come next, before any hook is told of another item" }
  },
  {
    name: "news of another item overtake those that wait for the end of a call",
    find: "if (later.length > 0 || isSame(entry.item, item) ||",
    replace: "if (isSame(entry.item, item) ||",
    caught: {
      file: "lastWord.test.ts",
      title: "replaces the item that it is told of: those after it hear of the other alone"
    }
  },
  {
    name: "news that wait for the end of a call come at the end of the transaction",
    find: "return sequence(telling.later,",
    replace: "return sequence(telling.later.slice(0, 0),",
    caught: { file: "lastWord.test.ts", title: "come next, before any hook is told of another item" }
  },
  {
    name: "a call for news that had waited is none that others wait for",
    find: "(later) => tellNews(transaction, part, later))",
    replace: "(later) => callPart(transaction, part, later.hook, later.entry.item))",
    caught: { file: "lastWord.test.ts", title: "come next, though the call is made for news that had waited, too" }
  },
  {
    name: "news of another item of the same key are told in the call of a hook",
    find: "isSame(entry.item, item) || shareUnique(definition, entry.keys, keys)) return telling",
    replace: "isSame(entry.item, item)) return telling",
    caught: {
      file: "lastWord.test.ts",
      title: "a child of a hook tells another of an item that it is about to be told of: one call after the other"
    }
  },
  {
    name: "a hook hears of what came before it hears that another item of the same key went",
    find: "  if (stale === undefined) return tellPart(transaction, part, news)\n",
    replace: "  if (stale !== null) return tellPart(transaction, part, news)\n",
    caught: {
      file: "lastWord.test.ts",
      title: "another hook replaces what comes in the place of what has gone, before it is told of either"
    }
  },
  {
    name: "what a hook was told in a transaction does not count when another item of the same key comes",
    find: "calls?.holder(part, slot, key) ?? indexes[slot]!.entry(key)",
    replace: "indexes[slot]!.entry(key)",
    caught: { file: "lastWord.test.ts", title: "the same of an item that came in the same transaction" }
  },
  {
    name: "only a transaction around another one has a call in flight",
    find: "one !== undefined; one = one.nested) {",
    replace: "one !== undefined && one !== transaction; one = one.nested) {",
    caught: {
      file: "lastWord.test.ts",
      title: "a child of a hook tells another of an item that it is about to be told of: one call after the other"
    }
  },
  {
    name: "what fails in a call of a hook is played back, whatever others have told meanwhile",
    find: "return transaction.inHook ? tellNews(transaction, part, news) :",
    replace: "return transaction.inHook === null ? tellNews(transaction, part, news) :",
    caught: {
      file: "lastWord.test.ts",
      title: "it fails when all have been told of what it had replaced: all know that"
    }
  },
  {
    name: "the calls of a nested transaction are forgotten when it succeeds",
    find: "outermost.calls.list.push({ part,",
    replace: "if (transaction === outermost) outermost.calls.list.push({ part,",
    caught: {
      file: "atomicity.test.ts",
      title: "G7 a hook that dies during rollback does not stop the others, and its defect"
    }
  },
  {
    name:
      "hooks that were installed in a transaction that fails in a call are played back again with the one around it",
    find: "!transaction.inHook || isInstalledIn(transaction, part)",
    replace: "!transaction.inHook",
    caught: {
      file: "lastWord.test.ts",
      title: "a nested one in a call of another hook, and the one around it fails, too"
    }
  },
  {
    name: "what is played back in a call of a hook is not known around it",
    find: "  for (const { inHook, outermost } of group) outermost.unsettled ||= inHook\n",
    replace: "",
    caught: {
      file: "lastWord.test.ts",
      title: "a child of a hook fails while others are told that an item went and is back: none hears twice that it is"
    }
  },
  {
    name: "what a failed transaction told is played back again with the one around it",
    find: "!transaction.inHook || isInstalledIn(transaction, part)",
    replace: "transaction.inHook && isInstalledIn(transaction, part)",
    caught: { file: "lastWord.test.ts", title: "a nested transaction that failed is played back once" }
  },
  {
    name: "hooks are told what they know",
    find: "isThere(transaction.draft, entry) === isIn && knows(transaction, part, entry) !== isIn",
    replace: "isThere(transaction.draft, entry) === isIn",
    caught: {
      file: "lastWord.test.ts",
      title: "withdraws the item that it is told of: those after it hear nothing of it"
    }
  },
  {
    name: "hooks are told what is not so any more",
    find: "isThere(transaction.draft, entry) === isIn && knows(transaction, part, entry) !== isIn",
    replace: "knows(transaction, part, entry) !== isIn",
    caught: {
      file: "lastWord.test.ts",
      title: "withdraws the item that it is told of: those after it hear nothing of it"
    }
  },
  {
    name: "an item that is back as another registration is gone",
    find: "  return other !== undefined && isSame(other.item, entry.item)\n",
    replace: "  return other !== undefined && false\n",
    caught: {
      file: "lastWord.test.ts",
      title: "brings back an item of which it is told that it went: those after it hear nothing"
    }
  },
  {
    name: "an item that is undefined is in where nothing is found",
    find: "return other !== undefined && isSame(other.item, entry.item)",
    replace: "return isSame(other?.item, entry.item)",
    caught: {
      file: "lastWord.test.ts",
      title: "undefined is withdrawn by a hook that is told that it came: calls alternate"
    }
  },
  {
    name: "a nested operation does not know what hooks were told in those around it",
    find: "return calls?.told(part, entry.item) ?? isThere(",
    replace: "return isThere(",
    caught: {
      file: "lastWord.test.ts",
      title: "withdraws an item, registers another, and brings the first back, all in one call for it"
    }
  },
  {
    name: "hooks that are installed in a transaction do not know what came in it",
    find: "isThere(installed?.get(part) ?? base, entry)",
    replace: "isThere(installed ? base : base, entry)",
    caught: {
      file: "lastWord.test.ts",
      title: "are told that what was in goes, though it came in the same transaction"
    }
  },
  {
    name: "it is forgotten that hooks may not know all",
    find: "    outermost.unsettled = true\n",
    replace: "",
    caught: { file: "lastWord.test.ts", title: "it withdraws the item: all hear that it went" }
  },
  {
    name: "hooks that are told at the end of a transaction are believed to change nothing",
    find: "        transaction.untold = false\n      }",
    replace: "        transaction.untold = transaction.unsettled = false\n      }",
    caught: {
      file: "lastWord.test.ts",
      title: "it withdraws the item, and another brings it back while all hear that it went"
    }
  },
  {
    name: "what a hook does when it is told at the end of a transaction is told as if all knew all",
    find: "    transaction.unsettled = false\n    transaction.untold = true\n",
    replace: "    transaction.unsettled = false\n",
    caught: {
      file: "lastWord.test.ts",
      title: "it withdraws the item, and another brings it back while all hear that it went"
    }
  },
  {
    name: "hooks that were installed during a transaction are not told what it came to",
    find: "=> unsettled || hooks !== core.hooks",
    replace: "=> unsettled && hooks !== core.hooks",
    caught: {
      file: "lastWord.test.ts",
      title: "by a fiber outside: they are told what it came to, without other hooks"
    }
  },
  {
    name: "hooks that were installed during a transaction are told again and again",
    find: "    transaction.hooks = hooks\n",
    replace: "",
    caught: {
      file: "lastWord.test.ts",
      title: "by a hook that is asked about an item: they are told that the item came"
    }
  },
  {
    name: "hooks that an operation has, and the outermost transaction has not, know all",
    find: "if (hooks === outermost.hooks && !transaction",
    replace: "if (!transaction",
    caught: {
      file: "lastWord.test.ts",
      title: "by a hook that is asked about an item, which goes in the same transaction: they hear nothing of it"
    }
  },
  {
    name: "nobody knows that a hook is being told of an item",
    find: "  transaction.telling = telling\n",
    replace: "",
    caught: { file: "lastWord.test.ts", title: "come next, before any hook is told of another item" }
  },
  {
    name: "a call is recorded though what a hook was told was made up for",
    find: "    if (part.state === \"settled\") {\n",
    replace: "    if (part.state === \"removed\") {\n",
    caught: {
      file: "nesting.test.ts",
      title: "G20 existing: those that go while they are told of an item in a transaction, which fails: balanced"
    }
  },
  {
    name: "a hook that hears only that items come is not known to have heard",
    find: "  handlers.onItemRegistered !== undefined || handlers.onItemUnregistered !== undefined",
    replace: "  handlers.onItemRegistered !== undefined && handlers.onItemUnregistered !== undefined",
    caught: {
      file: "cleanup.test.ts",
      title: "G14 G28 at the end of a transactAll, before it is published, they see its registries, and change them"
    }
  },
  {
    name: "hooks that go are told that items go of which they were not told that they came",
    find: "        knows(transaction, part, entry) &&\n",
    replace: "        Contents.holds(transaction.draft, entry) &&\n",
    caught: { file: "lastWord.test.ts", title: "removes one that is not told yet: it hears nothing" }
  },
  {
    name: "hooks that go are told of what is in alone, not of what they have yet to be told of",
    find: "touched.concat(Contents.entries(transaction.draft))",
    replace: "Contents.entries(transaction.draft)",
    caught: { file: "lastWord.test.ts", title: "removes one that is not told yet: it hears +1 -1" }
  },
  {
    name: "a hook that goes in its own call is told in it that the item goes",
    find: "        !around.some(({ telling }) => telling?.part === part && isSame(telling.entry.item, entry.item))\n",
    replace: "        around.length > 0\n",
    caught: {
      file: "lastWord.test.ts",
      title: "one removes itself in its call that an item goes: it is not told so again"
    }
  },
  {
    name: "a hook that goes in its own call is not told that the item goes",
    find: "const untelling = hook === \"onItemRegistered\" && !died",
    replace: "const untelling = hook === \"onItemUnregistered\" && !died",
    caught: { file: "lastWord.test.ts", title: "one removes itself in its own call: it hears next that the item went" }
  },
  {
    name: "a hook that was told that all goes is played back, too",
    find: "    if (died || part.state === \"settled\") return undefined\n",
    replace: "    if (died) return undefined\n",
    caught: { file: "lastWord.test.ts", title: "one is removed while a transaction that had told it is undone" }
  },
  {
    name: "what was played back to a hook is forgotten",
    find: "tellNews(transaction, part, news) : tellPart(transaction, part, news)\n  })",
    replace: "tellNews(transaction, part, news) : callPart(transaction, part, news.hook, entry.item)\n  })",
    caught: { file: "lastWord.test.ts", title: "one is removed while a transaction that had told it is undone" }
  },
  {
    name: "hooks that were installed in a transaction that fails are not told what there is",
    find: "playingBack.concat(group.flatMap(tellingInstead))",
    replace: "playingBack",
    caught: { file: "lastWord.test.ts", title: "what came before them has never been" }
  },
  {
    name: "hooks that were installed in a nested transaction that fails count as told of its draft for ever",
    find: "    installed.set(part, base)\n",
    replace: "",
    caught: { file: "lastWord.test.ts", title: "a nested one: what comes after it is told as it is" }
  },
  {
    name: "hooks that were installed before a nested transaction count as installed in it",
    find: "installed?.has(part) === true && (parent === undefined || !hooks.includes(part))",
    replace: "installed?.has(part) === true",
    caught: {
      file: "lastWord.test.ts",
      title: "a nested one, in a call of another hook, while they wait to be told: they are told"
    }
  },
  {
    name: "hooks that were told at the end of a transaction count as installed before it",
    find: "installed?.has(part) === true && (parent === undefined || !hooks.includes(part))",
    replace: "installed?.has(part) === true && !hooks.includes(part)",
    caught: { file: "lastWord.test.ts", title: "one that is refused when hooks have been settled" }
  },
  {
    name: "hooks run with the services of the first",
    find: "return services === bodyServices",
    replace: "return bodyServices !== undefined",
    caught: { file: "hooks.test.ts", title: "each of several hooks runs with its own services, in one operation" }
  },
  {
    name: "hooks cannot be interrupted",
    find: "const restored = transaction.restore(effect)",
    replace: "const restored = effect",
    caught: { file: "population.test.ts", title: "G3 all waiters are interrupted" }
  }
]
