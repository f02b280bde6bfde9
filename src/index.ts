/**
 * @since 0.1.0
 */
export * as EntryPoints from "./EntryPoints.ts"
export * as Lookup from "./Lookup.ts"
export * as Registry from "./Registry.ts"
export * as RegistryAtom from "./RegistryAtom.ts"
export * as RegistryError from "./RegistryError.ts"
export * as RegistryEvent from "./RegistryEvent.ts"
export * as RegistryHandle from "./RegistryHandle.ts"
export * as RegistryHooks from "./RegistryHooks.ts"
export * as RegistryMetrics from "./RegistryMetrics.ts"
export * as RegistryResource from "./RegistryResource.ts"
export * as RegistrySnapshot from "./RegistrySnapshot.ts"
