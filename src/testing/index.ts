/**
 * @since 0.1.0
 */
export * as RegistryTest from "./RegistryTest.ts"
