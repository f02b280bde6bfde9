/**
 * Tools to test programs that share registries: many schedules of one program, and an interruption at every step.
 *
 * @module
 * @since 0.1.0
 */
export * from "./faultyLog.ts"
export * from "./history.ts"
export * from "./interleave.ts"
export * from "./laws.ts"
export * from "./logLaws.ts"
export * from "./model.ts"
export * from "./pedantic.ts"
