/** Bytes that one operation allocates. The process has a young generation so large that nothing is collected meanwhile. */
import type { Row, Side } from "./row.ts"

const bytesOf = async (side: Side): Promise<number> => {
  for (let i = 0; i < 200; i++) await once(side)
  globalThis.gc?.()
  const samples: Array<number> = []
  for (let i = 0; i < 15; i++) {
    await side.prepare?.()
    const before = process.memoryUsage().heapUsed
    await side.run()
    samples.push((process.memoryUsage().heapUsed - before) / side.operations)
  }
  return samples.toSorted((a, b) => a - b)[samples.length >>> 1]!
}

const once = async (side: Side): Promise<void> => {
  await side.prepare?.()
  await side.run()
}

export const measureAllocation = async (
  row: Row,
  size: number
): Promise<{ readonly ours: number; readonly other: number }> => {
  const { other, ours } = await row.make(size)
  return { ours: await bytesOf(ours), other: await bytesOf(other) }
}
