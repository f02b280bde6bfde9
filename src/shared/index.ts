/**
 * @since 0.2.0
 */
export * as RegistryLog from "./RegistryLog.ts"
export * as SharedRegistry from "./SharedRegistry.ts"
