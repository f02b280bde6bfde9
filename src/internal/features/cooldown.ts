/** Leaving the source of the defaults alone for a while after a population has failed. */
import * as Cause from "effect/Cause"
import * as Duration from "effect/Duration"
import * as Effect from "effect/Effect"
import * as Exit from "effect/Exit"
import { contentsOf, type Core } from "../engine/core.ts"
import { current } from "../engine/read.ts"
import { now } from "../engine/refusals.ts"

/** Populates, and for some time after a failure answers the same failure. The first populates at once. */
export const cooling = <Item, P, V, E>(
  core: Core<Item, P, V>,
  cooldown: Duration.Input,
  populate: Effect.Effect<void, E>
): readonly [atOnce: Effect.Effect<void, E>, Effect.Effect<void, E>] => {
  const millis = Duration.toMillis(Duration.fromInputUnsafe(cooldown))
  let failed: { readonly exit: Exit.Exit<never, E>; readonly at: number } | undefined
  const atOnce = Effect.withFiber<void, E>((fiber) =>
    Effect.onExitPrimitive(populate, (exit) => {
      if (Exit.isSuccess(exit)) failed = undefined
      else if (!Cause.hasInterruptsOnly(exit.cause) && core.shared?.isUnavailable(exit.cause) !== true) {
        failed = { exit: Exit.failCause(exit.cause), at: now(fiber) }
      }
      return undefined
    })
  )
  const unlessHot = Effect.withFiber<void, E>((fiber) => {
    const transaction = current(core, fiber.context)
    const mayRun = transaction === undefined
      ? !contentsOf(core).populated && core.population.holder === undefined
      : transaction.outermost.kind !== "import" && !transaction.ready && !transaction.resetting &&
        transaction.state !== "undoing"
    return mayRun && core.populationFailure !== undefined && failed !== undefined && now(fiber) - failed.at < millis
      ? failed.exit
      : atOnce
  })
  return [atOnce, unlessHot]
}
