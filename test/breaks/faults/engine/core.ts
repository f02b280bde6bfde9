/** Faults in `src/internal/engine/core.ts`. */
import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "a nested transaction begins with whose population filled what is published",
    find: "parent === undefined ? core.populationScope : parent.populationScope",
    replace: "core.populationScope",
    caught: { file: "caught.test.ts", title: "G4 a transaction resets, populates and registers: the resources of its" }
  },
  {
    name: "a transaction that has ended keeps what it found",
    find: "this.base = this.draft = this.core.nothing",
    replace: "",
    caught: {
      file: "caught.test.ts",
      title: "G10 a transaction that has ended keeps no items alive, though somebody still has"
    }
  },
  {
    name: "hooks run outside of the transaction that calls them",
    find: "[services, within(this.innermost, services, this.caller)]",
    replace: "[services, services]",
    caught: {
      file: "hooks.test.ts",
      title: "hooks run with the services where they were defined, and in the transaction of"
    }
  },
  {
    name: "an entry belongs to the owner of the transaction around it",
    find: "\"defaults\" : Context.get(this.caller, Owner)",
    replace: "\"defaults\" : this.parent?.owner ?? Context.get(this.caller, Owner)",
    caught: { file: "explain.test.ts", title: "Present: the item, its owner and the revision that registered it" }
  },
  {
    name: "the items of a population have no owner",
    find: "this.kind === \"population\" || this.kind === \"refresh\" ? \"defaults\"",
    replace: "this.kind === \"population\" || this.kind === \"refresh\" ? \"\"",
    caught: {
      file: "population.test.ts",
      title: "G1 a list populates in the step of its first user: with an owner of its own"
    }
  },
  {
    name: "a closing scope is given up in runSync",
    find: "return this.kind === \"upkeep\" || this.kind === \"import\" ||",
    replace: "return this.kind === \"import\" ||",
    caught: { file: "runSync.test.ts", title: "a closing scope is not given up" }
  }
]
