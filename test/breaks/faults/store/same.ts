/** Faults in `src/internal/store/same.ts`. */
import type { Break } from "../../break.ts"

const file = "same.test.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "instances are compared by what is visible of them",
    find: "if (kind === Object.prototype || value instanceof Data.Class) {",
    replace: "if (kind !== Array.prototype && kind !== Map.prototype) {",
    caught: { file, title: "G11 not instances with the same fields" }
  },
  {
    name: "Data is the same only as itself",
    find: "if (kind === Object.prototype || value instanceof Data.Class) {",
    replace: "if (kind === Object.prototype) {",
    caught: { file, title: "G11 Data, made twice" }
  },
  {
    name: "an array of a class is an array",
    find: "if (isA(value, Array) || isA(value, Map)) return value",
    replace: "if (Array.isArray(value) || isA(value, Map)) return value",
    caught: { file, title: "G11 not a class that extends Array" }
  },
  {
    name: "properties that are hidden, or have symbols for names, do not count",
    find: "new Map(Reflect.ownKeys(value).map(",
    replace: "new Map(Object.keys(value).map(",
    caught: { file, title: "G11 not symbols as names" }
  },
  {
    name: "what is missing is undefined",
    find: "!other.has(name) || ",
    replace: "",
    caught: { file, title: "G11 not undefined by another name" }
  },
  {
    name: "what another has besides does not count",
    find: "return one.size === other.size",
    replace: "return one.size <= other.size",
    caught: { file, title: "G11 not one more property" }
  },
  {
    name: "one part of a set stands for several of another",
    find: "          rest.splice(found, 1)\n",
    replace: "",
    caught: { file, title: "G11 not sets that repeat" }
  },
  {
    name: "holes of an array do not count",
    find: "for (let i = 0; i < one.length; i++) if (!areSame(one[i], other[i])) return false\n    return true",
    replace: "return one.every((part, i) => areSame(part, other[i]))",
    caught: { file, title: "G11 not a hole and null" }
  },
  {
    name: "numbers of several kinds are the same",
    find: "if (kindOf(one) !== kindOf(other)) return false\n",
    replace: "",
    caught: { file, title: "G11 not bytes and other numbers" }
  },
  {
    name: "the buffers of Node are of a kind of their own",
    find: "value instanceof Uint8Array && \"isBuffer\" in value.constructor",
    replace: "value instanceof Uint8Array && value.length < 0",
    caught: { file, title: "G11 bytes of Node and others" }
  },
  {
    name: "a circle is compared for ever",
    find: "    if (others.has(other)) return true\n",
    replace: "",
    caught: { file, title: "G11 end, through a list" }
  },
  {
    name: "what was assumed of a pair stays when it differs",
    find: "    for (const f of takeBack.splice(length)) f()\n",
    replace: "",
    caught: { file, title: "G11 what was assumed of a pair that differs is taken back" }
  },
  {
    name: "what throws while it is compared surfaces",
    find: "attempt(() => comparison()(one, other), false)",
    replace: "comparison()(one, other)",
    caught: { file, title: "G11 what throws is not the same, and no hash throws" }
  },
  {
    name: "an equivalence that throws surfaces",
    find: "attempt(() => equivalence(one, other) === true, false)",
    replace: "equivalence(one, other) === true",
    caught: { file, title: "that throws: an object is the same as itself, and as no other" }
  },
  {
    name: "an equivalence that answers a promise says yes",
    find: "equivalence(one, other) === true",
    replace: "!!equivalence(one, other)",
    caught: { file, title: "that answers a promise: an object is the same as itself, and as no other" }
  },
  {
    name: "an equivalence is asked whether an object is the same as itself",
    find: ": (one, other) => isSame(one, other) || attempt",
    replace: ": (one, other) => attempt",
    caught: { file, title: "that says no: an object is the same as itself, and as no other" }
  },
  {
    name: "the hash goes down to the bottom",
    find: "  if (depth > deep) return 0\n",
    replace: "",
    caught: { file, title: "G11 end, through a list" }
  },
  {
    name: "the order of a set is in its hash",
    find: "if (isA(value, Set)) return new Map(value.entries())",
    replace: "if (isA(value, Set)) return Array.from(value)",
    caught: { file, title: "G11 sets in another order" }
  },
  {
    name: "what is shared in a key is taken once for each place where it is",
    find: "if (!pictures.has(value)) {",
    replace: "{",
    caught: { file, title: "G9 one that is shared inside many times, or contains itself, is taken in a moment" }
  }
]
