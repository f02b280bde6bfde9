/** What an editor can be told to do. */
export interface Command {
  readonly name: string
  /** The keys that call it. */
  readonly keys: ReadonlyArray<string>
}

export const open: Command = { name: "open", keys: ["ctrl+o"] }
export const save: Command = { name: "save", keys: ["ctrl+s", "f2"] }
/** One of its keys is taken. */
export const share: Command = { name: "share", keys: ["ctrl+e", "ctrl+s"] }
