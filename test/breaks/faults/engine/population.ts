/** Faults in `src/internal/engine/population.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a population that failed is kept",
    find: "(outermost, -Infinity),\n",
    replace: "(outermost, (exit) => Exit.isFailure(exit) ? Infinity : -Infinity),\n",
    caught: {
      file: "population.test.ts",
      title: "G2 defaults that fail: all waiters get the same error, nothing is left, the"
    }
  },
  {
    name: "a population that a reset has emptied is kept",
    find: "(outermost, -Infinity),\n",
    replace: "(outermost, (exit) => Exit.isSuccess(exit) ? Infinity : -Infinity),\n",
    caught: { file: "population.test.ts", title: "G17 under schedules, resets race registers and reads" }
  },
  {
    name: "each fiber that asks runs the population",
    find: "Effect.cachedWithTTL(outermost, -Infinity),\n",
    replace: "Effect.as(Effect.sync(() => -Infinity), outermost),\n",
    caught: {
      file: "population.test.ts",
      title: "G3 some waiters are interrupted: the others get the full set from the same"
    }
  },
  {
    name: "a population has the services of the fiber that asks first",
    find: "\n          Context.add(core.context, Scheduler.Scheduler, fiber.cache.scheduler)",
    replace: "\n          Context.merge(core.context, fiber.context)",
    caught: { file: "population.test.ts", title: "G4 it has the services of the layer that built the registry" }
  },
  {
    name: "a population is in the transactions of the fiber that asks first",
    find: "Effect.catchCause(populated, interruptedInside(core))",
    replace:
      "Effect.catchCause(Effect.provideService(populated && first, CurrentTransaction, innermost(fiber.context)), interruptedInside(core))",
    caught: {
      file: "population.test.ts",
      title: "G4 it does not see the draft of a transaction of its caller on another"
    }
  },
  {
    name: "a population begins some time after it was joined",
    find: "    Effect.cachedWithTTL(outermost, -Infinity)",
    replace: "    Effect.cachedWithTTL(Effect.andThen(Effect.yieldNow, outermost), -Infinity)",
    caught: { file: "races.test.ts", title: "G16 a circle of waits is seen though a population is abandoned while" }
  },
  {
    name: "a population does not say that it runs",
    find: "core.population.begin(self, fiber)\n",
    replace: "void fiber\n",
    caught: { file: "population.test.ts", title: "G6 state never waits and never populates" }
  },
  {
    name: "an interruption from inside interrupts the fibers that wait",
    find: "Cause.hasInterruptsOnly(cause) && !core.closed",
    replace: "cause === undefined",
    caught: { file: "population.test.ts", title: "G2 a hook that dies, or interrupts itself: all waiters get a defect" }
  },
  {
    name: "why a population in a transaction failed is forgotten",
    find: "isUpkeep(transaction) ? nested : remembered(core, nested)",
    replace: "nested",
    caught: {
      file: "explain.test.ts",
      title: "PopulationFailed if it failed in a transaction that reset the registry and went"
    }
  },
  {
    name: "a logger that throws changes how a population failed",
    find: "return Effect.ignoreCause(Effect.andThen(warning,",
    replace: "return Effect.uninterruptible(Effect.andThen(warning,",
    caught: { file: "hostile.test.ts", title: "G2 a logger that throws changes no result" }
  },
  {
    name: "a fiber that is interrupted in a nested population gets a defect",
    find: "onFailure: () => Effect.failCause(cause),",
    replace: "onFailure: () => interruptedInside(core)(cause),",
    caught: { file: "caught.test.ts", title: "G3 a nested population is interrupted with its caller, without a defect" }
  },
  {
    name: "a population that nobody waits for is remembered as one that failed",
    find: "} else if (!Cause.hasInterruptsOnly(exit.cause)) {",
    replace: "} else if (exit.cause !== undefined) {",
    caught: { file: "caught.test.ts", title: "G3 a population that is abandoned by all who waited does not count as" }
  },
  {
    name: "a closed registry tells of a population that failed before another succeeded",
    find: "      core.populationFailure = undefined\n    } else",
    replace: "    } else",
    caught: {
      file: "anew.test.ts",
      title: "explain of a closed registry tells of no population that failed before another succeeded"
    }
  },
  {
    name: "the runs of a population keep the context of the fiber that asked",
    find: "        steady = undefined\n",
    replace: "",
    caught: { file: "collected.test.ts", title: "keeps nothing of those that asked for it" }
  },
  {
    name: "a use after the end waits for a population",
    find: "if (core.closed) return ended",
    replace: "",
    caught: { file: "closing.test.ts", title: "G26 afterwards get dies" }
  },
  {
    name: "a fiber that waits when a registry ends is told that it uses it after that",
    find: "const waited = untilReadyOr(Effect.interrupt)",
    replace: "const waited = untilReadyOr(useAfterEnd(core.definition))",
    caught: { file: "closing.test.ts", title: "G26 a fiber that waited for a population is interrupted" }
  }
]
