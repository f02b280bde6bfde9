import type { Row } from "./row.ts"
import { changing } from "./rows/changing.ts"
import { entryPoints } from "./rows/entryPoints.ts"
import { fibers } from "./rows/fibers.ts"
import { groups } from "./rows/groups.ts"
import { peers } from "./rows/peers.ts"
import { populating } from "./rows/population.ts"
import { reading } from "./rows/reading.ts"

export const rows: ReadonlyArray<Row> = [
  ...reading,
  ...changing,
  ...populating,
  ...fibers,
  ...groups,
  ...entryPoints,
  ...peers
]
