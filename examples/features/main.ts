/**
 * Three features come, one of them goes again: `node examples/features/main.ts`.
 */
import { NodeRuntime } from "@effect/platform-node"
import { Console, Effect, Layer } from "effect"
import {
  type Feature,
  FeatureChecker,
  type FeatureId,
  Features,
  FeaturesLive,
  isEnabled,
  register
} from "./features.ts"

declare module "./features.ts" {
  interface KnownFeatures {
    readonly "editor.vim-mode": true
    readonly "editor.spelling": true
  }
}

const feature = (id: FeatureId, name: string, level: Feature["level"]): Feature => ({
  id,
  name,
  level,
  initialize: Console.log(`${name} is ready`),
  shutdown: Console.log(`${name} is gone`)
})

const report = Effect.gen(function*() {
  const ids: ReadonlyArray<FeatureId> = ["core.search", "editor.vim-mode", "editor.spelling"]
  const states = yield* Effect.forEach(ids, (id) => Effect.map(isEnabled(id), (on) => `${id} ${on ? "on" : "off"}`))
  yield* Console.log(states.join(", "))
})

const program = Effect.gen(function*() {
  yield* register(feature("core.search", "Search", "stable"))
  yield* Effect.scoped(Effect.gen(function*() {
    yield* register(feature("editor.vim-mode", "Vim mode", "beta"))
    yield* register(feature("editor.spelling", "Spelling", "experimental"))
    yield* report
    const conflict = yield* Effect.flip(register(feature("core.search", "Another search", "beta")))
    yield* Console.log(conflict.message)
  }))
  yield* report
  yield* Console.log(`${yield* Features.size} feature is left`)
})

const MainLive = Layer.merge(FeaturesLive, FeatureChecker.fromIds(["editor.vim-mode"]))

program.pipe(Effect.scoped, Effect.provide(MainLive), NodeRuntime.runMain)
