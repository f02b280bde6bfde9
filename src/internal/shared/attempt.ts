/** The calls of operations: how long each may take, and how often others were first. */
import * as Cause from "effect/Cause"
import { ofThisCopy } from "../engine/current.ts"

/** One call of an operation. */
export interface Attempt {
  readonly operation: string
  /** When it gives up, in milliseconds. */
  deadline: number
  /** How often another process was first. */
  count: number
  /** Whether it has written something. */
  wrote: boolean
}

export const begin = (operation: string, deadline: number): Attempt => ({ operation, deadline, count: 0, wrote: false })

/** The attempt that a fiber is in. */
export const CurrentAttempt = ofThisCopy<Attempt | undefined>("CurrentAttempt", () => undefined)

/** Another process was first, and the operation has to run again. */
export class Again {
  readonly _tag = "Again"
}

export const isAgain = (cause: Cause.Cause<unknown>): boolean =>
  cause.reasons.some((reason) => Cause.isFailReason(reason) && reason.error instanceof Again)
