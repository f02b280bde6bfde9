/** This copy of the package. A program may hold several: a plugin can bring its own, of the same version or another. */

/** What the values of a copy say about it. Copies of all later versions read this, so its shape never changes. */
export interface Copy {
  readonly version: string
  /** The module that it was loaded from. */
  readonly url: string
}

/** The property that holds the copy that made a value. */
export const CopyKey: unique symbol = /*#__PURE__*/ Symbol.for("effect-registry/Copy")

const load = (version: string, { url = "a bundle" }: { readonly url?: string }): Copy => ({ version, url })

/** The version is the one in package.json. */
export const here: Copy = /*#__PURE__*/ load("0.2.0", import.meta)

/** What all copies have in common. Those of later versions use it, too, so its shape never changes. */
export const inCommon = <A>(name: string, make: () => A): A => {
  const all = globalThis as { [key: symbol]: A | undefined }
  return all[Symbol.for(`effect-registry/${name}`)] ??= make()
}

/** Throws where another copy made a value: its inside may be different, and no lock here knows those there. */
export const refuseForeign = (value: unknown): void => {
  const there = (value as { readonly [CopyKey]?: Copy } | null | undefined)?.[CopyKey]
  if (there === undefined || there === here) return
  throw new TypeError(
    `effect-registry ${shown(here)} was given something of another copy, ${shown(there)}. ` +
      "Load one copy: list it in peerDependencies, and run npm dedupe."
  )
}

const shown = ({ url, version }: Copy): string => `${version} (${url})`
