/** A log that fails as logs do. */
import { type Faults, faulty } from "../../src/testing/faulty.ts"

export { type Faults, faulty }

export const noFaults = (): Faults => ({ refuses: 0, loses: 0, late: 0, doubles: 0, isDead: false })
