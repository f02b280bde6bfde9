/** Faults in `src/internal/features/late.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a module is imported again after a reset",
    find: "      loaded = true\n",
    replace: "",
    caught: {
      file: "late.test.ts",
      title: "has the defaults first, then the items of its layer; after a reset, too"
    }
  },
  {
    name: "an import leaves a scope behind that is interrupted at its first step",
    find: "const importOnce = Effect.uninterruptibleMask((restore) => {",
    replace: `const importOnce = Effect.suspend(() => {
    const restore = <A, E, R>(effect: Effect.Effect<A, E, R>) => effect`,
    caught: { file: "late.test.ts", title: "G3 interrupted at each step, from outside, it has imported" }
  },
  {
    name: "the resources of a layer are released though it is in use",
    find: "(exit) => inUse ? Effect.void : Scope.close(scope, exit)",
    replace: "(exit) => Scope.close(scope, exit)",
    caught: { file: "late.test.ts", title: "its layer lives until the scope of the registry closes, through resets" }
  },
  {
    name: "the resources of a layer that failed are never released",
    find: "(exit) => inUse ? Effect.void : Scope.close(scope, exit)",
    replace: "() => Effect.void",
    caught: {
      file: "late.test.ts",
      title: "defaults that fail after the layer was built: its resources are released, and"
    }
  },
  {
    name: "a captured context brings the transaction of an import with it",
    find: "withoutTransactions(inside).pipe(",
    replace: "inside.pipe(",
    caught: {
      file: "late.test.ts",
      title: "modules that use each other: one while it loads, the other in a hook that is"
    }
  },
  {
    name: "a layer that is built after the import gets the registry that was imported",
    find: "key === service && transaction.state === \"open\" ? completed",
    replace: "key === service ? completed",
    caught: {
      file: "late.test.ts",
      title: "code of the module that builds the layer of the service again later gets its own"
    }
  },
  {
    name: "the definition keeps the services of the layer that loads late",
    find: "    core.context = services\n",
    replace: "",
    caught: { file: "late.test.ts", title: "the module may bring the services that the definition needs" }
  },
  {
    name: "a second import gets the services of the one that failed",
    find: "      core.context = before\n",
    replace: "",
    caught: {
      file: "anew.test.ts",
      title: "a second import has the services of the program, not those of the module that failed"
    }
  },
  {
    name: "the hooks of a definition that loads late have no order",
    find: "    changeHooks(core, (installed) => parts.concat(installed))\n",
    replace: "    core.hooks = parts.concat(core.hooks)\n",
    caught: {
      file: "hookOrder.test.ts",
      title: "of a definition die when the registry is made, and of a late one when it is loaded"
    }
  }
]
