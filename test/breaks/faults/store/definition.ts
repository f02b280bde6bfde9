/** Faults in `src/internal/store/definition.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "keys are taken once, before onItemRegistering",
    find: "export const takeKeys = <Item>(definition: Definition<Item>, item: Item): Keys => {",
    replace: `const remembered = new WeakMap<object, Keys>()
export const takeKeys = <Item>(definition: Definition<Item>, item: Item): Keys => {
  const key = typeof item === "object" && item !== null ? item : {}
  const keys = remembered.get(key) ?? takeKeysNow(definition, item)
  remembered.set(key, keys)
  return keys
}
const takeKeysNow = <Item>(definition: Definition<Item>, item: Item): Keys => {`,
    caught: { file: "atomicity.test.ts", title: "G9 keys are taken again after onItemRegistering, and kept" }
  }
]
