/** Faults in `src/internal/store/entry.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "an item that is no number is not the same as itself",
    find: "one === other || Number.isNaN(one) && Number.isNaN(other)",
    replace: "one === other",
    caught: {
      file: "lastWord.test.ts",
      title: "NaN is brought back by a hook that is told that it went: calls alternate"
    }
  },
  {
    name: "an item that replaces an override is not an override",
    find: "new Origin(this.owner, this.revision, this.onTop, this.scope, { by: owner, revision }, first",
    replace: "new Origin(this.owner, this.revision, false, this.scope, { by: owner, revision }, first",
    caught: {
      file: "override.test.ts",
      title: "the replacement of an override is an override, which hides only items that it"
    }
  },
  {
    name: "an update takes the registration out of its scope",
    find: "this.onTop, this.scope, { by: owner, revision }, first",
    replace: "this.onTop, undefined, { by: owner, revision }, first",
    caught: {
      file: "registrations.test.ts",
      title: "G27 closing a scope removes what was registered in it, after replace, with"
    }
  },
  {
    name: "a registration that is taken over stays in its scope",
    find: "return new Origin(owner, this.revision, this.onTop, scope, { by: owner, revision })",
    replace: "return new Origin(owner, this.revision, this.onTop, this.scope, { by: owner, revision })",
    caught: {
      file: "registrations.test.ts",
      title: "G27 upsertScoped takes a registration over into its scope and owner"
    }
  },
  {
    name: "a registration that comes back after a reset is in no scope any more",
    find: "new Origin(this.owner, revision, this.onTop, this.scope, this.updated, this.population)",
    replace: "new Origin(this.owner, revision, this.onTop, undefined, this.updated, this.population)",
    caught: {
      file: "registrations.test.ts",
      title:
        "G27 a scope that closes while the registry is Pending takes its items along, and one that closes later, too"
    }
  },
  {
    name: "an override is in no scope",
    find: "return new Origin(this.owner, this.revision, true, this.scope)",
    replace: "return new Origin(this.owner, this.revision, true)",
    caught: {
      file: "registrations.test.ts",
      title: "G27 an override that is updated ends with its scope, and what it hid comes back"
    }
  }
]
