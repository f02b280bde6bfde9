import type { Row } from "./row.ts"
import { changing } from "./rows/changing.ts"
import { entryPoints } from "./rows/entryPoints.ts"
import { fibers } from "./rows/fibers.ts"
import { groups } from "./rows/groups.ts"
import { peers } from "./rows/peers.ts"
import { populating } from "./rows/population.ts"
import { reading } from "./rows/reading.ts"
import { renewing } from "./rows/renewing.ts"

export const rows: ReadonlyArray<Row> = [
  ...reading,
  ...changing,
  ...renewing,
  ...populating,
  ...fibers,
  ...groups,
  ...entryPoints,
  ...peers
]
