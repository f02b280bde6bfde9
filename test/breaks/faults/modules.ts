/** Faults in the modules in `src` itself. */
import type { Break } from "../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a subscriber looks at one moment, and follows from another",
    find: "Watch.follow(core, options?.since ?? contents.revision)",
    replace: "Watch.follow(core, options?.since)",
    caught: {
      file: "linearizability.test.ts",
      title: "G22 a subscriber gets the contents, and exactly the changes after that"
    }
  },
  {
    name: "a value that is not an effect ends the fiber, with the lock",
    find: "Effect.isEffect(effect)\n    ? effect\n    : Effect.die(new TypeError(`${name()} was",
    replace: "effect\n    ? effect\n    : Effect.die(new TypeError(`${name()} was",
    caught: { file: "badInput.test.ts", title: "transact of something else than an effect dies, and leaves the lock" }
  },
  {
    name: "a layer whose building was interrupted goes on measuring",
    find: `Effect.uninterruptible(Effect.contextWith((context: Context.Context<Scope.Scope>) => {
      const measuring`,
    replace: `Effect.asVoid(Effect.contextWith((context: Context.Context<Scope.Scope>) => {
      const measuring`,
    caught: { file: "metrics.test.ts", title: "a layer whose building is interrupted at any step leaves the registry" }
  },
  {
    name: "a link leads out of a package",
    find: "if (Option.isNone(path.resolveWithin(directory, path.relative(directory, real)))) return yield* invalidPath",
    replace: "",
    caught: {
      file: "EntryPoints.test.ts",
      title: "cannot point outside itself: with .., an absolute path, a URL or a link"
    }
  },
  {
    name: "a package that is farther away counts",
    find: "if (!nearest.has(one.name)) nearest.set",
    replace: "nearest.set",
    caught: { file: "EntryPoints.test.ts", title: "finds hoisted, nested and scoped packages, each once" }
  },
  {
    name: "a package that is linked twice counts twice",
    find: "seen.add(directory)",
    replace: "",
    caught: {
      file: "EntryPoints.test.ts",
      title: "finds linked packages and workspaces, and a package with two links once"
    }
  },
  {
    name: "a property that every object has is a group",
    find: "Predicate.hasProperty(u, key) && Object.hasOwn(u, key)",
    replace: "Predicate.hasProperty(u, key)",
    caught: {
      file: "EntryPoints.test.ts",
      title: "finds nothing where no package offers anything, or no packages or directory"
    }
  },
  {
    name: "a default export that a compiler wrapped is not unwrapped",
    find: "Option.isSome(own(exports, \"__esModule\")) ? exports : module",
    replace: "module",
    caught: { file: "EntryPoints.test.ts", title: "imports CommonJS" }
  },
  {
    name: "an item that throws when it is looked at kills all",
    find:
      "        Effect.catchDefect((cause) => Effect.fail(failure(entryPoint, { code: \"invalid_item\", cause }))),\n",
    replace: "",
    caught: {
      file: "EntryPoints.test.ts",
      title: "logs each bad entry point with its package and name, and gives the others"
    }
  },
  {
    name: "an observer outlives its layer of metrics",
    find: "          if (measuring.end(series)) core.observer = undefined\n",
    replace: "          measuring.end(series)\n",
    caught: {
      file: "gauges.test.ts",
      title: "count once, and measure until the last of them is closed, whichever that is"
    }
  },
  {
    name: "each layer of metrics counts for itself",
    find: "Array.from(this.all).find((one) => one.has(metrics, attributes)) ?? new Series",
    replace: "new Series",
    caught: {
      file: "gauges.test.ts",
      title: "count once, and measure until the last of them is closed, whichever that is"
    }
  },
  {
    name: "layers of metrics share what the first of them writes to",
    find: "Context.get(this.context, Metric.MetricRegistry) === metrics &&",
    replace: "true ||",
    caught: {
      file: "gauges.test.ts",
      title: "measure it in the metrics of each, where they have metrics or attributes of their own"
    }
  },
  {
    name: "a registry that closes takes the gauges of others of its name to 0",
    find: "gauge.modifyUnsafe(values[i]! - this.added[i]!, this.context)",
    replace: "gauge.updateUnsafe(values[i]!, this.context)",
    caught: {
      file: "gauges.test.ts",
      title: "are those of its successor, where one of the same name was made before it has closed"
    }
  },
  {
    name: "a layer of metrics that is closed leaves its gauges as they are",
    find: "    series.show(nothing)\n",
    replace: "",
    caught: {
      file: "gauges.test.ts",
      title: "are 0, its revision too, where the layer of metrics is built on that of the registry"
    }
  },
  {
    name: "an atom has the items of when it was mounted",
    find: "runtime.atom(Stream.map(Registry.snapshots(self), RegistrySnapshot.values))",
    replace: "runtime.atom(Stream.map(Stream.take(Registry.snapshots(self), 1), RegistrySnapshot.values))",
    caught: { file: "RegistryAtom.test.ts", title: "has the items at once where the registry can answer at once" }
  },
  {
    name: "a module that threw is imported by the address that stays thrown",
    find: "`${entryPoint.url}?attempt=${failed + 1}`",
    replace: "entryPoint.url",
    caught: {
      file: "EntryPoints.test.ts",
      title: "imports a module that was mended, at the next use of the registry, where it throws"
    }
  },
  {
    name: "one export that fails makes another instance of the whole module",
    find: "`${url}#${exported}`",
    replace: "url",
    caught: { file: "EntryPoints.test.ts", title: "keeps what else a module exports where one of its exports failed" }
  },
  {
    name: "a module is not imported again though its item lacked an attribute",
    find: "faulty ? importAgain(entryPoint) : Effect.void",
    replace: "Effect.void",
    caught: { file: "EntryPoints.test.ts", title: "imports a module again whose item a registry found faulty" }
  },
  {
    name: "the nearest package is not the first",
    find: "nearestFirst && a.distance - b.distance || compare",
    replace: "compare",
    caught: { file: "offered.test.ts", title: "with onConflict: \"nearest\" takes the item of the nearest package" }
  },
  {
    name: "a package.json that only says how modules are read is that of a package",
    find: "if (typeof named === \"string\") return",
    replace: "return",
    caught: { file: "EntryPoints.test.ts", title: "finds what the package offers that the directory is in" }
  },
  {
    name: "a conflict is left out though it is to fail",
    find: "conflicts ? onConflict !== \"fail\" : onFailure === \"skip\"",
    replace: "onFailure === \"skip\"",
    caught: {
      file: "offered.test.ts",
      title: "with onFailure: \"fail\", or onConflict: \"fail\", a conflict fails the population"
    }
  },
  {
    name: "a lookup of another copy can be made optional",
    find: "refuseForeign(lookup)\n  return",
    replace: "return",
    caught: { file: "copies.test.ts", title: "dies at once when it is given lookups or hooks of the other" }
  },
  {
    name: "an error of another copy is none of its class",
    find: "u instanceof Error && Predicate.isTagged(u, tag) &&\n        (Object.getPrototypeOf(this) === Base || ",
    replace: "u instanceof Error && Predicate.isTagged(u, tag) &&\n        (",
    caught: { file: "copies.test.ts", title: "are instances of the class that has their tag, and of no other" }
  },
  {
    name: "a listener that throws ends the others",
    find: ".catch((error) =>\n      runtime.runFork(",
    replace: ".catch((error) =>\n      listeners.clear() ?? runtime.runFork(",
    caught: { file: "RegistryHandle.test.ts", title: "a listener that throws, or whose promise rejects" }
  },
  {
    name: "a listener that was removed is called for the change that others are being told of",
    find: "listeners.has(listener) && change.revision > listener.since",
    replace: "change.revision > listener.since",
    caught: { file: "RegistryHandle.test.ts", title: "a listener may remove itself and others" }
  },
  {
    name: "a listener is told of a change that came before it",
    find: "listeners.has(listener) && change.revision > listener.since",
    replace: "listeners.has(listener)",
    caught: { file: "RegistryHandle.test.ts", title: "begins with the next change" }
  },
  {
    name: "a handle has nothing while its registry is Pending",
    find: "if (now.populated) last = now",
    replace: "last = now",
    caught: { file: "RegistryHandle.test.ts", title: "answers what it had, and populates again by itself" }
  },
  {
    name: "a handle populates only when it is used",
    find: "    }\n    populateAgain()\n  }\n",
    replace: "    }\n  }\n",
    caught: { file: "RegistryHandle.test.ts", title: "answers what it had, and populates again by itself" }
  },
  {
    name: "a handle gives up when a population has failed",
    find: "    populateAgain()\n    return last\n",
    replace: "    return last\n",
    caught: { file: "RegistryHandle.test.ts", title: "whose population fails answers what it had" }
  },
  {
    name: "a handle overlooks a reset that comes as its population ends",
    find: "if (Exit.isSuccess(exit)) populateAgain()",
    replace: "",
    caught: { file: "RegistryHandle.test.ts", title: "and another one, as it ends" }
  },
  {
    name: "listeners are called in the step that publishes",
    find: "void Promise.resolve().then(afterwards)",
    replace: "afterwards()",
    caught: { file: "RegistryHandle.test.ts", title: "G22 calls no listener in the step that publishes" }
  },
  {
    name: "a handle that is disposed of leaves its registry",
    find: "handleOf(service, runtime, runtime.dispose)",
    replace: "handleOf(service, runtime, () => Promise.resolve())",
    caught: { file: "RegistryHandle.test.ts", title: "of a handle from make ends its registry" }
  },
  {
    name: "a handle that could not be made keeps what its layer acquired",
    find: "    await Effect.runPromiseExit(runtime.disposeEffect)\n",
    replace: "",
    caught: {
      file: "RegistryHandle.test.ts",
      title: "rejects with the error of the population, or with its defect, and releases"
    }
  },
  {
    name: "a change that the end of a handle interrupts does not say so",
    find: "ended && Cause.hasInterruptsOnly(exit.cause) ? isOver() : ",
    replace: "",
    caught: { file: "RegistryHandle.test.ts", title: "rolls back a change in flight" }
  },
  {
    name: "a handle stays with its registry",
    find: "    watchers.listeners.delete(published)\n",
    replace: "",
    caught: { file: "RegistryHandle.test.ts", title: "leaves the registry, and a change in flight" }
  }
]
