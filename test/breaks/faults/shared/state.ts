/** Faults in `src/internal/shared/state.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a record that does not follow the last one counts",
    find: "if (parsed === undefined || parsed.prev !== this.fold.id) {",
    replace: "if (parsed === undefined) {",
    caught: {
      file: "shared.test.ts",
      title: "takes the first of several records that an engine has let in for one place"
    }
  },
  {
    name: "a session that others have ended lives on",
    find: "if (tag === \"end\" && from === this.sessionId && this.session !== \"none\") this.lose()",
    replace: "",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "takes up what it held where it heard of its end by the log alone"
    }
  },
  {
    name: "a lost session begins anew instead of moving",
    find: "return this.moving !== undefined && this.fold.sessions.has(this.moving)",
    replace: "return false && this.moving !== undefined",
    caught: { file: "sharedAmendments.test.ts", title: "keeps what it holds where the end was not written yet" }
  },
  {
    name: "who finds nobody there keeps what they left",
    find: "if (this.anew) return [[\"anew\"], [\"begin\", this.sessionId, format]]",
    replace: "",
    caught: { file: "sharedAmendments.test.ts", title: "of two that join at once and find nobody, one resets" }
  }
]
