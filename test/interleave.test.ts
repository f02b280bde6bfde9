import { assert, describe, it } from "@effect/vitest"
import { Cause, Deferred, Effect, Exit, Fiber, Result, Schema, Semaphore } from "effect"
import { Registry } from "effect-registry"
import { RegistryTest } from "effect-registry/testing"
import { TestClock } from "effect/testing"

const both = <A, E, R, B, E2, R2>(one: Effect.Effect<A, E, R>, other: Effect.Effect<B, E2, R2>) =>
  Effect.gen(function*() {
    const first = yield* Effect.forkChild(one)
    const second = yield* Effect.forkChild(other)
    yield* Fiber.join(first)
    yield* Fiber.join(second)
  })

const fewest = (failure: RegistryTest.ScheduleFailure): number =>
  failure.schedule.filter((choice) => "fiber" in choice).length

// ---------------------------------------------------------------------------------------------------------------------
// Programs with faults
// ---------------------------------------------------------------------------------------------------------------------

/** Fails if the write of another fiber between read and write is lost. That takes one preemption. */
const lostUpdate = Effect.gen(function*() {
  let count = 0
  const increment = Effect.sync(() => count).pipe(
    Effect.flatMap((seen) => Effect.as(Effect.void, seen)),
    Effect.flatMap((seen) =>
      Effect.sync(() => {
        count = seen + 1
      })
    )
  )
  yield* both(increment, increment)
  if (count !== 2) return yield* Effect.die(new Error(`counted ${count}`))
})

/** Reads and writes in two turns: losing an update takes no preemption, only an order of tasks. */
const lostUpdateAcrossTurns = Effect.gen(function*() {
  let count = 0
  const increment = Effect.gen(function*() {
    const seen = count
    yield* Effect.yieldNow
    count = seen + 1
  })
  yield* both(increment, increment)
  if (count !== 2) return yield* Effect.die(new Error(`counted ${count}`))
})

/** Checks whether a name is free, and registers it in another step. */
const lookThenAct = Effect.gen(function*() {
  const names: Array<string> = []
  const register = (name: string) =>
    Effect.flatMap(Effect.sync(() => names.includes(name)), (taken) =>
      taken ? Effect.void : Effect.sync(() => {
        names.push(name)
      }))
  yield* both(register("a"), register("a"))
  if (names.length !== 1) return yield* Effect.fail("taken twice")
})

/** Two fibers take two permits in opposite orders. */
const opposite = Effect.gen(function*() {
  const a = yield* Semaphore.make(1)
  const b = yield* Semaphore.make(1)
  yield* both(a.withPermit(b.withPermit(Effect.void)), b.withPermit(a.withPermit(Effect.void)))
})

/** Fails only if the one fiber is stopped between 1 and 3, and the other between 2 and 4. */
const twice = Effect.gen(function*() {
  let step = 0
  const to = (from: number) =>
    Effect.sync(() => {
      if (step === from) step++
    })
  yield* both(Effect.andThen(to(0), to(2)), Effect.andThen(to(1), to(3)))
  if (step === 4) return yield* Effect.die(new Error("all four"))
})

/** Correct under every schedule. */
const right = Effect.scoped(Effect.gen(function*() {
  const registry = yield* Registry.make<string>()({ lookup: [], defaults: ["a"] })
  yield* both(Registry.register(registry, "b"), Registry.register(registry, "c"))
  assert.strictEqual(yield* Registry.size(registry), 3)
}))

const strategies: ReadonlyArray<RegistryTest.InterleaveOptions> = [
  { strategy: "random", seeds: 300 },
  { strategy: "pct", seeds: 300, depth: 3 },
  { strategy: "exhaustive" }
]

describe.each(strategies)("$strategy", (options) => {
  const failing = <A, E>(program: Effect.Effect<A, E>) => Effect.flip(RegistryTest.interleave(program, options))

  it.effect("finds a lost update", () =>
    Effect.gen(function*() {
      const failure = yield* failing(lostUpdate)
      assert.strictEqual(fewest(failure), 1)
      assert.include(failure.message, "counted 1")
    }))

  it.effect("finds a lost update across turns, and that it takes no preemption", () =>
    Effect.gen(function*() {
      const failure = yield* failing(lostUpdateAcrossTurns)
      assert.deepStrictEqual(failure.schedule, [])
    }))

  it.effect("finds a check and an act in two steps", () =>
    Effect.gen(function*() {
      const failure = yield* failing(lookThenAct)
      assert.strictEqual(fewest(failure), 1)
      assert.include(failure.message, "taken twice")
    }))

  it.effect("finds a deadlock, and names the waiting fibers", () =>
    Effect.gen(function*() {
      const failure = yield* failing(opposite)
      assert.strictEqual(fewest(failure), 1)
      assert.isFalse("cause" in failure)
      assert.strictEqual(failure.waiting.length, 3) // the two fibers, and their parent
      assert.match(failure.message, /hung: no task is left.*\n {2}fiber 1, before its operation \d+\n {2}fiber 2, /)
    }))

  it.effect("finds a fault that takes two preemptions", () =>
    Effect.gen(function*() {
      const failure = yield* failing(twice)
      assert.strictEqual(fewest(failure), 2)
    }))

  it.effect("reports a schedule that reproduces the failure", () =>
    Effect.gen(function*() {
      for (const program of [lostUpdate, lookThenAct, opposite, twice]) {
        const { cause, schedule } = yield* failing<void, unknown>(program)
        const again = yield* Effect.flip(RegistryTest.interleave<void, unknown, never>(program, { schedule }))
        assert.strictEqual(again.strategy, "replay")
        assert.deepStrictEqual(again.schedule, schedule)
        assert.strictEqual(String(again.cause), String(cause))
      }
    }))

  it.effect("does the same every time", () =>
    Effect.gen(function*() {
      const traces: Array<ReadonlyArray<string>> = []
      for (let time = 0; time < 2; time++) {
        const trace: Array<string> = []
        const noting = (name: string) =>
          Effect.forEach([1, 2, 3], (step) => Effect.sync(() => trace.push(`${name}${step}`)))
        yield* RegistryTest.interleave(both(noting("a"), noting("b")), { ...options, limit: 500 })
        traces.push(trace)
      }
      assert.deepStrictEqual(traces[0], traces[1])
      assert.isAbove(new Set(traces[0]!.join(" ").split("a1")).size, 5)
    }))

  it.effect("finds nothing in a correct program", () =>
    Effect.gen(function*() {
      const report = yield* RegistryTest.interleave(right, options)
      assert.isAtLeast(report.schedules, 300)
    }), 60_000)
})

describe("seeds", () => {
  it.effect("are a hundred by default", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* RegistryTest.interleave(Effect.void), { schedules: 100 })
    }))

  it.effect.each(["random", "pct"] as const)(
    "%s: the seed of a failure reproduces it",
    (strategy) =>
      Effect.gen(function*() {
        const failure = yield* Effect.flip(RegistryTest.interleave(twice, { strategy, seeds: 1000 }))
        assert.isNumber(failure.seed)
        const again = yield* Effect.flip(RegistryTest.interleave(twice, { strategy, seeds: [failure.seed!] }))
        assert.deepStrictEqual(again.schedule, failure.schedule)
        assert.include(failure.message, `seed ${failure.seed} (${strategy})`)
        assert.include(failure.message, "RegistryTest.interleave(program, { schedule: [{ fiber: 2, operation: ")
      })
  )

  it.effect("a fiber that spins until another acts does not starve it", () =>
    RegistryTest.interleave(
      Effect.gen(function*() {
        let done = false
        const spinning = Effect.whileLoop({ while: () => !done, body: () => Effect.yieldNow, step: () => {} })
        yield* both(
          spinning,
          Effect.sync(() => {
            done = true
          })
        )
      }),
      { strategy: "pct", seeds: 300 }
    ))
})

/** The steps of fibers a, b, c …, in order, under each schedule. */
const tracing = (fibers: number, steps: number, options: RegistryTest.InterleaveOptions) =>
  Effect.gen(function*() {
    const traces: Array<string> = []
    const program = Effect.gen(function*() {
      let trace = ""
      const running = (name: string) =>
        Effect.forEach(Array.from({ length: steps }), () =>
          Effect.sync(() => {
            trace += name
          }), { discard: true })
      const started = yield* Effect.forEach(
        Array.from({ length: fibers }, (_, index) => "abcde"[index]!),
        (name) => Effect.forkChild(running(name))
      )
      yield* Effect.forEach(started, Fiber.join)
      traces.push(trace)
    })
    yield* RegistryTest.interleave(program, options)
    return traces
  })

/** How often the running fiber changes. */
const switchesOf = (trace: string): number =>
  Array.from(trace).filter((name, i) => i > 0 && name !== trace[i - 1]).length

const mean = (numbers: ReadonlyArray<number>): number => numbers.reduce((sum, one) => sum + one, 0) / numbers.length

const atRate = (rate: number | undefined) => tracing(2, 30, { rate, seeds: 200 })

const atDepth = (depth: number | undefined) => tracing(2, 30, { strategy: "pct", depth, seeds: 300 })

describe("random", () => {
  it.effect("preempts at the given rate, 20 by default", () =>
    Effect.gen(function*() {
      const plain = ["a".repeat(30) + "b".repeat(30), "b".repeat(30) + "a".repeat(30)]
      assert.deepStrictEqual([...new Set(yield* atRate(0))].toSorted(), plain)
      const switches = yield* Effect.forEach([0, 5, 20, 100], (rate) =>
        Effect.map(atRate(rate), (traces) => mean(traces.map(switchesOf))))
      // a preempted fiber may be picked again: half of the preemptions show
      for (const [index, [least, most]] of [[1, 1], [1.5, 2.5], [4, 6], [20, 30]].entries()) {
        assert.isAtLeast(switches[index]!, least!)
        assert.isAtMost(switches[index]!, most!)
      }
      assert.deepStrictEqual(yield* atRate(undefined), yield* atRate(20))
    }))

  it.effect("picks all waiting tasks equally often", () =>
    Effect.gen(function*() {
      const traces = yield* tracing(5, 1, { rate: 0, seeds: 1_000 })
      assert.strictEqual(new Set(traces).size, 120)
      for (const place of [0, 4]) {
        for (const name of "abcde") {
          const count = traces.filter((trace) => trace[place] === name).length
          assert.isTrue(count > 150 && count < 250, `${name} was ${count} times at ${place}`)
        }
      }
    }))
})

describe("pct", () => {
  it.effect("fibers change priorities at as many operations as given, three by default", () =>
    Effect.gen(function*() {
      const switches: Array<number> = []
      for (const depth of [0, 1, 2, 3, 6]) {
        const seen = (yield* atDepth(depth)).map(switchesOf)
        assert.strictEqual(Math.max(...seen), depth + 1)
        switches.push(mean(seen))
      }
      // a change of priorities need not change the running fiber
      assert.deepStrictEqual(switches, switches.toSorted((one, other) => one - other))
      assert.strictEqual(switches[0], 1)
      assert.isAtLeast(switches[3]!, 1.9)
      assert.isAtLeast(switches[4]!, 2.7)
      assert.deepStrictEqual(yield* atDepth(undefined), yield* atDepth(3))
    }))

  it.effect("draws all orders of priorities", () =>
    Effect.gen(function*() {
      const traces = yield* tracing(3, 4, { strategy: "pct", depth: 0, seeds: 600 })
      const permutations = ["abc", "acb", "bac", "bca", "cab", "cba"]
      const whole = permutations.map((order) => Array.from(order, (name) => name.repeat(4)).join(""))
      assert.deepStrictEqual([...new Set(traces)].toSorted(), whole)
      // the first often runs before the others are forked
      for (const order of whole) assert.isAtLeast(traces.filter((trace) => trace === order).length, 40)
    }))

  it.effect("fails without a seed if the program fails without preemption", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(RegistryTest.interleave(Effect.fail("disk"), { strategy: "pct" }))
      const { cause, message, ...rest } = failure
      assert.deepStrictEqual([failure.strategy, failure.schedule, failure.waiting], ["pct", [], []])
      assert.isFalse("seed" in rest)
      assert.deepStrictEqual(cause, Cause.fail("disk"))
      assert.match(message, /^Under one schedule \(pct\) the program failed: .*disk/)
      assert.match(message, /\nTo run it again: RegistryTest\.interleave\(program, \{ schedule: \[\] \}\)$/)
    }))
})

/** How often each order of the steps of two fibers with two steps came. */
const orders = (preemptions: number) =>
  Effect.gen(function*() {
    const seen = new Map<string, number>()
    const program = Effect.gen(function*() {
      let order = ""
      const step = (name: string) =>
        Effect.sync(() => {
          order += name
        })
      yield* both(Effect.andThen(step("a"), step("A")), Effect.andThen(step("b"), step("B")))
      seen.set(order, (seen.get(order) ?? 0) + 1)
    })
    const report = yield* RegistryTest.interleave(program, { strategy: "exhaustive", preemptions })
    return { report, orders: [...seen.keys()].toSorted() }
  })

/** The orders in which a program logs its steps. */
const ordersOf = (
  program: (note: (name: string) => Effect.Effect<void>) => Effect.Effect<unknown>,
  preemptions: number
) =>
  Effect.gen(function*() {
    const seen = new Set<string>()
    const noting = Effect.suspend(() => {
      let order = ""
      const note = (name: string) =>
        Effect.sync(() => {
          order += name
        })
      return Effect.andThen(program(note), Effect.sync(() => seen.add(order)))
    })
    yield* RegistryTest.interleave(noting, { strategy: "exhaustive", preemptions })
    return [...seen].toSorted()
  })

/** Two fibers that yield between their two steps. */
const twoThatYield = (note: (name: string) => Effect.Effect<void>) => {
  const yielding = (name: string) => Effect.andThen(note(name), Effect.andThen(Effect.yieldNow, note(name)))
  return Effect.all([yielding("a"), yielding("b")], { concurrency: "unbounded" })
}

describe("exhaustive", () => {
  it.effect("without preemption, tries the two orders of two fibers, each once", () =>
    Effect.gen(function*() {
      const tried = yield* orders(0)
      assert.deepStrictEqual(tried, { report: { schedules: 2, complete: true }, orders: ["aAbB", "bBaA"] })
    }))

  it.effect("tries four orders with one preemption, and all six with two", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual((yield* orders(1)).orders, ["aAbB", "abBA", "bBaA", "baAB"])
      assert.deepStrictEqual((yield* orders(2)).orders, ["aAbB", "abAB", "abBA", "bBaA", "baAB", "baBA"])
    }))

  it.effect("tries the orders of fibers that yield, and all orders with a preemption", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* ordersOf(twoThatYield, 0), ["abab", "abba"])
      assert.deepStrictEqual(yield* ordersOf(twoThatYield, 1), ["aabb", "abab", "abba", "baab", "baba", "bbaa"])
    }))

  it.effect("preempts a woken fiber before its first operation", () =>
    Effect.gen(function*() {
      const woken = yield* ordersOf((note) => {
        let wake: (() => void) | undefined
        const waiting = Effect.callback<void>((resume) => {
          wake = () => resume(note("a"))
        })
        const waking = Effect.sync(() => wake?.())
        return Effect.all([waiting, Effect.andThen(waking, note("b"))], { concurrency: "unbounded" })
      }, 1)
      assert.deepStrictEqual(woken, ["ab", "ba"])
    }))

  it.effect("tries n! orders of n fibers without preemption", () =>
    Effect.gen(function*() {
      for (const [fibers, schedules] of [[1, 1], [2, 2], [3, 6], [4, 24], [5, 120]] as const) {
        const program = Effect.forEach(Array.from({ length: fibers }), () => Effect.forkDetach(Effect.void)).pipe(
          Effect.flatMap((started) => Effect.forEach(started, (fiber) => Fiber.await(fiber)))
        )
        const report = yield* RegistryTest.interleave(program, { strategy: "exhaustive", preemptions: 0 })
        assert.deepStrictEqual(report, { schedules, complete: true })
      }
    }))

  it.effect("ends a fiber that is interrupted before its first step", () =>
    Effect.gen(function*() {
      const program = Effect.flatMap(Effect.forkChild(Effect.never), Fiber.interrupt)
      const { complete } = yield* RegistryTest.interleave(program, { strategy: "exhaustive" })
      assert.isTrue(complete)
    }))

  it.effect("misses a fault that takes two preemptions with one, and reports a complete search", () =>
    Effect.gen(function*() {
      const report = yield* RegistryTest.interleave(twice, { strategy: "exhaustive", preemptions: 1 })
      assert.isTrue(report.complete)
      const failure = yield* Effect.flip(RegistryTest.interleave(twice, { strategy: "exhaustive", preemptions: 2 }))
      assert.strictEqual(fewest(failure), 2)
    }))

  it.effect("reports an incomplete search", () =>
    Effect.gen(function*() {
      const report = yield* RegistryTest.interleave(right, { strategy: "exhaustive", limit: 7 })
      assert.deepStrictEqual(report, { schedules: 7, complete: false })
    }))

  it.effect("refuses a program that behaves differently each time", () =>
    Effect.gen(function*() {
      let runs = 0
      const program = Effect.suspend(() => runs++ % 2 === 0 ? both(Effect.yieldNow, Effect.yieldNow) : Effect.void)
      const exit = yield* Effect.exit(RegistryTest.interleave(program, { strategy: "exhaustive" }))
      assert.isTrue(Exit.isFailure(exit) && Cause.hasDies(exit.cause))
    }))
})

describe("a schedule", () => {
  it.effect("is run alone, and a correct program passes under it", () =>
    Effect.gen(function*() {
      assert.deepStrictEqual(yield* RegistryTest.interleave(right, { schedule: [] }), { schedules: 1 })
      const { schedule } = yield* Effect.flip(RegistryTest.interleave(lostUpdate, { seeds: 100 }))
      assert.deepStrictEqual(yield* RegistryTest.interleave(right, { schedule }), { schedules: 1 })
    }))

  it.effect("that is reported is minimal: without any one of its choices the program passes", () =>
    Effect.gen(function*() {
      for (const program of [lostUpdate, lookThenAct, opposite, twice]) {
        for (let first = 0; first < 1_000; first += 200) {
          const seeds = Array.from({ length: 200 }, (_, index) => first + index)
          const { schedule } = yield* Effect.flip(
            RegistryTest.interleave<void, unknown, never>(program, { seeds, rate: 50 })
          )
          for (const index of schedule.keys()) {
            yield* RegistryTest.interleave<void, unknown, never>(program, { schedule: schedule.toSpliced(index, 1) })
          }
        }
      }
      // also for programs that fail by the order of many tasks alone
      for (let salt = 1; salt <= 300; salt++) {
        const program = Effect.gen(function*() {
          let order = 0
          const coming = (number: number) =>
            Effect.sync(() => {
              order = order * 7 + number
            })
          const started = yield* Effect.forEach([1, 2, 3, 4, 5], (number) => Effect.forkChild(coming(number)))
          yield* Effect.forEach(started, Fiber.join)
          if (Math.imul(order, salt * 2654435761) >>> 0 < 2 ** 30) return yield* Effect.die("a bad order")
        })
        const exit = yield* Effect.exit(RegistryTest.interleave(program, { rate: 0 }))
        if (Exit.isSuccess(exit)) continue
        const { schedule } = Cause.squash(exit.cause) as RegistryTest.ScheduleFailure
        for (const [index, choice] of schedule.entries()) {
          assert.isTrue("turn" in choice && choice.turn > 0 && choice.task > 0)
          yield* RegistryTest.interleave(program, { schedule: schedule.toSpliced(index, 1) })
        }
      }
    }))
})

describe("a failure", () => {
  it.effect("survives encoding and decoding", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(RegistryTest.interleave(opposite, { seeds: 100 }))
      const wire = JSON.parse(JSON.stringify(Schema.encodeUnknownSync(RegistryTest.ScheduleFailure)(failure)))
      const back = Schema.decodeUnknownSync(RegistryTest.ScheduleFailure)(wire)
      assert.strictEqual(back.message, failure.message)
      assert.deepStrictEqual(back.schedule, failure.schedule)
      for (const choice of [{}, { fiber: 1 }, { operation: 1 }, { turn: 1 }, { task: 1 }]) {
        const decoded = Schema.decodeUnknownResult(RegistryTest.ScheduleFailure)({ ...wire, schedule: [choice] })
        assert.isTrue(Result.isFailure(decoded))
      }
    }))

  it.effect("is reduced to a failure of the same kind", () =>
    Effect.gen(function*() {
      // hangs without preemption, and dies if the second fiber comes first
      const program = Effect.gen(function*() {
        let first = ""
        const coming = (name: string) =>
          Effect.sync(() => {
            first ||= name
          })
        yield* both(coming("a"), coming("b"))
        return yield* first === "a" ? Effect.never : Effect.die("b came first")
      })
      let died = 0
      for (let seed = 0; seed < 20; seed++) {
        const { cause, schedule } = yield* Effect.flip(RegistryTest.interleave(program, { seeds: [seed] }))
        assert.strictEqual(schedule.length, cause === undefined ? 0 : 1)
        if (cause !== undefined) died++
      }
      assert.isTrue(died > 0 && died < 20)
    }))

  it.effect("is reduced in a bounded number of runs", () =>
    Effect.gen(function*() {
      const length = 250
      let runs = 0
      let failing: string | undefined
      // fails under exactly one schedule; another run ends at the first difference
      const program = Effect.gen(function*() {
        let trace = ""
        runs++
        const running = (name: string) => {
          let steps = 0
          return Effect.whileLoop({
            while: () => steps++ < length && (failing === undefined || failing.startsWith(trace)),
            body: () =>
              Effect.sync(() => {
                trace += name
              }),
            step: () => {}
          })
        }
        yield* both(running("a"), running("b"))
        failing ??= trace
        if (trace === failing) return yield* Effect.die("again")
      })
      const { schedule } = yield* Effect.flip(RegistryTest.interleave(program, { seeds: 1, rate: 99 }))
      assert.isAbove(schedule.length, 500)
      // the first, and two rounds of a thousand
      assert.strictEqual(runs, 2_001)
    }))

  it.effect("takes few runs to reduce if few of its choices matter", () =>
    Effect.gen(function*() {
      for (const program of [lostUpdate, lostUpdateAcrossTurns, lookThenAct, opposite]) {
        let runs = 0
        const counted = Effect.suspend(() => {
          runs++
          return program as Effect.Effect<void, unknown>
        })
        yield* Effect.flip(RegistryTest.interleave(counted, { seeds: 100 }))
        assert.isAtMost(runs, 50)
      }
    }))

  it.effect("can be read from a copy, which vitest makes", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(RegistryTest.interleave(Effect.fail("disk"), { seeds: 1 }))
      const copy: RegistryTest.ScheduleFailure = Object.create(failure, {
        cause: { value: Object.assign(Object.create(null), { reasons: [] }) }
      })
      assert.include(copy.message, "disk")
    }))
})

describe("a hang", () => {
  it.effect("names the transactions that its fibers wait for", () =>
    Effect.gen(function*() {
      const program = Effect.scoped(Effect.gen(function*() {
        const [codes, themes] = [
          yield* Registry.make<string>()({ lookup: [], name: "codes" }),
          yield* Registry.make<string>()({ lookup: [], name: "themes" })
        ]
        yield* both(
          Registry.transact(codes, Effect.never),
          Registry.transact(themes, Registry.register(codes, "a"))
        )
      }))
      const { waiting } = yield* Effect.flip(RegistryTest.interleave(program, { schedule: [] }))
      assert.strictEqual(waiting.length, 3)
      assert.match(waiting[0]!, /^fiber 1, before its operation \d+$/)
      assert.match(waiting[1]!, /^fiber 2, before its operation \d+, in "transact" of "codes"$/)
      assert.match(waiting[2]!, /, in "transact" of "themes", which waits for "transact" of "codes"$/)
    }))

  it.effect("names the next operation of each fiber", () =>
    Effect.gen(function*() {
      const waiting = Effect.andThen(Effect.void, Effect.never)
      const preempting = (operation: number) =>
        Effect.flip(RegistryTest.interleave(both(waiting, waiting), { schedule: [{ fiber: 2, operation }] }))
      const failure = yield* preempting(0)
      const next = Number(/^fiber 2, before its operation (\d+)$/.exec(failure.waiting[1]!)![1])
      // no preemption happens before an operation that is never reached
      assert.deepStrictEqual((yield* preempting(next)).schedule, [])
      assert.deepStrictEqual((yield* preempting(next - 1)).schedule, [{ fiber: 2, operation: next - 1 }])
    }))

  it.effect("releases the resources that it can release", () =>
    Effect.gen(function*() {
      const log: Array<string> = []
      const holding = (name: string, release: Effect.Effect<void>) =>
        Effect.acquireUseRelease(
          Effect.sync(() => log.push(`${name} acquired`)),
          () => Effect.never,
          () => Effect.andThen(release, Effect.sync(() => log.push(`${name} released`)))
        )
      const hang = both(holding("a", Effect.yieldNow), holding("b", Effect.forever(Effect.yieldNow)))
      const { schedule } = yield* Effect.flip(RegistryTest.interleave(hang, { schedule: [] }))
      assert.deepStrictEqual(log, ["a acquired", "b acquired", "a released"])
      assert.deepStrictEqual(schedule, [])
    }))

  it.effect("names the transactions that wait", () =>
    Effect.gen(function*() {
      const program = Effect.scoped(Effect.gen(function*() {
        const codes = yield* Registry.make<string>()({ lookup: [], name: "codes" })
        const never = yield* Deferred.make<void>()
        yield* both(
          Registry.transact(codes, Deferred.await(never)),
          Registry.transact(codes, Registry.register(codes, "a"))
        )
      }))
      const failure = yield* Effect.flip(RegistryTest.interleave(program, { schedule: [] }))
      assert.strictEqual(failure.waiting.length, 3)
      assert.match(failure.waiting[1]!, /^fiber 2, before its operation \d+, in "transact" of "codes"$/)
    }))

  it.effect("is found if a program runs for ever, also without a yield", () =>
    Effect.gen(function*() {
      const spinning = Effect.whileLoop({ while: () => true, body: () => Effect.void, step: () => {} })
      for (const program of [Effect.forever(Effect.yieldNow), spinning]) {
        const failure = yield* Effect.flip(RegistryTest.interleave(program, { schedule: [] }))
        assert.deepStrictEqual(failure.waiting, [])
        assert.include(failure.message, "does not end")
      }
    }), 20_000)

  it.effect("is not reported while a promise is pending", () =>
    RegistryTest.interleave(Effect.promise(() => Promise.resolve().then(() => Promise.resolve())), { seeds: 10 }))
})

describe("time", () => {
  it.effect("stands still until the program adjusts it, and starts at 0 in every run", () =>
    RegistryTest.interleave(
      Effect.gen(function*() {
        const now = Effect.clockWith((clock) => clock.currentTimeMillis)
        assert.strictEqual(yield* now, 0)
        const sleeping = yield* Effect.forkChild(Effect.andThen(Effect.sleep("1 minute"), now))
        for (let minutes = 1; sleeping.pollUnsafe() === undefined; minutes++) {
          yield* TestClock.adjust("1 minute")
          assert.strictEqual(yield* now, minutes * 60_000)
        }
        assert.strictEqual((yield* Fiber.join(sleeping)) % 60_000, 0)
      }),
      { seeds: 300 }
    ))

  it.effect("an adjustment that may come before its sleep is found", () =>
    Effect.gen(function*() {
      const program = Effect.gen(function*() {
        const sleeping = yield* Effect.forkChild(Effect.sleep("1 minute"))
        yield* TestClock.adjust("1 minute")
        yield* Fiber.join(sleeping)
      })
      const failure = yield* Effect.flip(RegistryTest.interleave(program, { strategy: "exhaustive" }))
      assert.strictEqual(failure.waiting.length, 2)
    }))

  it.effect("hangs if the program does not adjust it", () =>
    Effect.gen(function*() {
      const failure = yield* Effect.flip(RegistryTest.interleave(Effect.sleep("1 second"), { seeds: 1 }))
      assert.include(failure.message, "hung")
    }))
})

interface Interrupted {
  readonly interrupted: number
  readonly steps: ReadonlyArray<number>
  readonly exits: ReadonlyArray<Exit.Exit<unknown, unknown>>
  readonly traces: ReadonlyArray<string>
}

/** Interrupts an operation that logs its steps, and returns the log of each run. */
const each = (
  operation: (note: (text: string) => Effect.Effect<void>) => Effect.Effect<unknown, unknown>,
  from?: "inside" | "outside"
): Effect.Effect<Interrupted> =>
  Effect.gen(function*() {
    const steps: Array<number> = []
    const exits: Array<Exit.Exit<unknown, unknown>> = []
    const traces: Array<string> = []
    const interrupted = yield* RegistryTest.interruptEach({
      setup: Effect.sync(() => ({ trace: "" })),
      run: (setup) =>
        operation((text) =>
          Effect.sync(() => {
            setup.trace += text
          })
        ),
      check: ({ trace }, exit, step) =>
        Effect.sync(() => {
          steps.push(step)
          exits.push(exit)
          traces.push(trace)
        }),
      from
    })
    return { interrupted, steps, exits, traces }
  })

const isInterrupted = (exit: Exit.Exit<unknown, unknown>): boolean =>
  Exit.isFailure(exit) && Cause.hasInterruptsOnly(exit.cause)

const awaitsChild = (note: (text: string) => Effect.Effect<void>) =>
  Effect.gen(function*() {
    const child = yield* Effect.forkChild(Effect.andThen(note("a"), note("b")))
    return yield* Fiber.await(child)
  })

describe("interruptEach", () => {
  it.effect.each([undefined, "outside", "inside"] as const)(
    "%s: interrupts once at each step, from the first on, and then runs to the end",
    (from) =>
      Effect.gen(function*() {
        const { exits, interrupted, steps, traces } = yield* each(
          (note) => Effect.andThen(note("a"), Effect.andThen(note("b"), Effect.as(note("c"), "done"))),
          from
        )
        assert.deepStrictEqual(steps, Array.from({ length: interrupted + 1 }, (_, step) => step + 1))
        assert.deepStrictEqual([...new Set(traces)], ["", "a", "ab", "abc"])
        assert.isTrue(exits.slice(0, -1).every(isInterrupted))
        assert.deepStrictEqual(exits.at(-1), Exit.succeed("done"))
      })
  )

  it.effect("outside interrupts the operation, inside the running fiber", () =>
    Effect.gen(function*() {
      const outside = yield* each(awaitsChild)
      assert.isTrue(outside.exits.slice(0, -1).every(isInterrupted))
      assert.deepStrictEqual(outside.exits.at(-1), Exit.succeed(Exit.void))
      // no fiber went on between the step and the interruption
      assert.deepStrictEqual(outside.traces, outside.traces.toSorted())
      const inside = yield* each(awaitsChild, "inside")
      const ofChild = inside.exits.slice(0, -1).filter((exit) =>
        Exit.isSuccess(exit) && isInterrupted(exit.value as Exit.Exit<unknown>)
      )
      assert.isAtLeast(ofChild.length, 2)
      assert.isTrue(inside.exits.some(isInterrupted))
    }))

  const never = { setup: Effect.void, run: () => Effect.void, check: () => Effect.void }
  const dies = (
    options: Partial<
      Parameters<typeof RegistryTest.interruptEach<void, unknown, never, void, never, never, unknown, never>>[0]
    >
  ) =>
    Effect.map(Effect.exit(RegistryTest.interruptEach({ ...never, ...options })), (exit) => {
      if (Exit.isSuccess(exit)) return assert.fail(`${exit.value} steps`)
      return Cause.squash(exit.cause)
    })

  it.effect("dies if the interrupted operation hangs, or setup or check does", () =>
    Effect.gen(function*() {
      const hung = yield* dies({ run: () => Effect.uninterruptible(Effect.never) })
      assert.match(String(hung), /^Error: Interrupted at step \d+, the operation hung\.$/)
      const around = "Error: What comes before and after the operation hung, at step 1."
      assert.strictEqual(String(yield* dies({ setup: Effect.never })), around)
      assert.strictEqual(String(yield* dies({ check: () => Effect.never })), around)
    }))

  it.effect("dies if the operation leaves fibers running, other than those of setup", () =>
    Effect.gen(function*() {
      const leaving = Effect.forkDetach(Effect.never, { startImmediately: true })
      const left = yield* dies({ run: () => Effect.andThen(leaving, leaving) })
      assert.match(String(left), /^Error: Interrupted at step \d+, the operation left [12] fiber\(s\) running\.$/)
      const interrupted = yield* RegistryTest.interruptEach({ ...never, setup: leaving })
      assert.isAtLeast(interrupted, 1)
    }))

  it.effect("fails as setup or check fails", () =>
    Effect.gen(function*() {
      assert.strictEqual(yield* dies({ setup: Effect.fail("no setup") }), "no setup")
      assert.strictEqual(yield* dies({ check: () => Effect.fail("no check") }), "no check")
    }))

  it.effect("waits for a promise", () =>
    Effect.gen(function*() {
      const { exits } = yield* each(() => Effect.promise(() => Promise.resolve("later")))
      assert.deepStrictEqual(exits.at(-1), Exit.succeed("later"))
    }))
})
