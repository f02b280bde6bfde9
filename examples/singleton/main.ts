/** A singleton that was written by hand becomes a registry, step by step: `npm run example:singleton`. */
import * as byHand from "./byHand.ts"
import { open, save, share } from "./command.ts"
import * as handle from "./handle.ts"
import * as runtime from "./runtime.ts"
import * as sameFunctions from "./sameFunctions.ts"

const print = (line: string): void => console.log(`  ${line}`)

/** What callers do with either module. `await` does nothing to what is no promise. */
const use = async (commands: typeof byHand | typeof sameFunctions): Promise<void> => {
  const draw = () => print(commands.all().map(({ name }) => name).join(" | "))
  const stop = commands.onChange(draw)
  await commands.register(save)
  try {
    await commands.register(share)
  } catch {
    // half of it is there in one of the two
    print(`refused: ctrl+e calls ${commands.findByKey("ctrl+e")?.name ?? "nothing"}`)
  }
  await commands.unregister("save")
  stop()
}

console.log("By hand")
byHand.register(open)
await use(byHand)

console.log("Step 1: the same functions")
await use(sameFunctions)
await sameFunctions.close()

console.log("Step 2: the handle")
await handle.run(print)

console.log("Step 3: a runtime")
await runtime.run(print)
