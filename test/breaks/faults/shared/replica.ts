/** Faults in `src/internal/shared/replica.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a write that changes nothing does not look at the head",
    find: "if (!mayBeStale || !isChecked",
    replace: "if (mayBeStale || !isChecked",
    caught: { file: "sharedAmendments.test.ts", title: "a write that would change nothing looks at the head first" }
  },
  {
    name: "sessions are ended right after an outage",
    find: "since === undefined || now - since < Duration.toMillis(this.state.settings.ttl)",
    replace: "since === undefined",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "an outage longer than the ttl ends no session, and who joins right after it resets nothing"
    }
  },
  {
    name: "who joins does not wait for others to renew",
    find: "if (now - (this.state.contact.since ?? now) < millis) {",
    replace: "if (now < 0) {",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "an outage longer than the ttl ends no session, and who joins right after it resets nothing"
    }
  },
  {
    name: "scopes that close wait for a log that is away, each anew",
    find: "irrevocable === true && (!this.state.hasBegun || this.state.contact.since === undefined)",
    replace: "irrevocable === true && !this.state.hasBegun",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "many scopes that close while the store is away take no longer than one"
    }
  },
  {
    name: "what cannot be read lets nothing go",
    find: "if (irrevocable === true && stalled === undefined) return Effect.void",
    replace: "",
    caught: {
      file: "sharedAmendments.test.ts",
      title: "a closing scope takes out what it registered, though something there cannot be read"
    }
  },
  {
    name: "a transaction that looks is run for ever",
    find: "if (attempt.count >= mostAttempts) {",
    replace: "if (attempt.count < 0) {",
    caught: { file: "shared.test.ts", title: "runs one that looked again, and gives it up at last" }
  }
]
