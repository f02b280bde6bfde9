/** Faults in `src/internal/engine/hooks.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "hooks are undone in the order in which they were called",
    find: "    calls.toReversed(),",
    replace: "    calls,",
    caught: { file: "atomicity.test.ts", title: "G7 registerAll is all or nothing, hooks included" }
  },
  {
    name: "hooks run with the services of who calls them",
    find: "  return part.services\n",
    replace: "  return Fiber.getCurrent()!.context\n",
    caught: {
      file: "hooks.test.ts",
      title: "hooks run with the services where they were defined, and in the transaction of"
    }
  },
  {
    name: "a part is undone that had not completed",
    find: "    : Effect.flatMap(running, () => ended(false))",
    replace: "    : Effect.andThen(ended(false), running)",
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
    find: "return part.state === \"installed\" && (sure || isDue(transaction, part, hook, entry))",
    replace: "return sure || isDue(transaction, part, hook, entry)",
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
  }
]
