/** One thing that is measured, in a process of its own: what ran before it does not count. */
import { measureAllocation } from "./allocation.ts"
import { checksum, measure } from "./measure.ts"
import { measureMemory } from "./memory.ts"
import { rows } from "./rows.ts"
import { measureStalls, stallRows } from "./stalls.ts"

const [what, name, count] = process.argv.slice(2)
const size = Number(count)
const row = rows.find((one) => one.name === name)

const measured = async (): Promise<unknown> => {
  switch (what) {
    case "memory":
      return measureMemory(size)
    case "stalls":
      return measureStalls(stallRows.find((one) => one.name === name)!, size, 10)
    case "allocation":
      return measureAllocation(row!, size)
    default:
      return measure(row!, size)
  }
}

process.stdout.write(JSON.stringify({ result: await measured(), checksum: checksum() }))
