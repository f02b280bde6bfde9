/**
 * A line that says how far an effect is, where standard error is a terminal.
 */
import { Effect, Ref, Schedule, Stdio, Stream } from "effect"

const clearLine = "\r\u001b[K"

export const withProgress = Effect.fnUntraced(
  function*<A, E, R>(effect: Effect.Effect<A, E, R>, seen: Ref.Ref<number>) {
    const stdio = yield* Stdio.Stdio
    if (!(yield* stdio.stderrIsTerminal)) return yield* effect
    const write = (text: string) => Effect.ignore(Stream.run(Stream.make(`${clearLine}${text}`), stdio.stderr()))
    const show = Effect.flatMap(Ref.get(seen), (files) => write(`${files} files`))
    return yield* Effect.forkScoped(Effect.repeat(show, Schedule.spaced("100 millis"))).pipe(
      Effect.andThen(effect),
      Effect.scoped,
      Effect.ensuring(write(""))
    )
  }
)
