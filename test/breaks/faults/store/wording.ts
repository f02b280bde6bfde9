import type { Break } from "../../break.ts"

export const faults: ReadonlyArray<Break> = [
  {
    name: "messages have any length",
    find: "line.length <= most ? line :",
    replace: "true ? line :",
    caught: { file: "messages.test.ts", title: "a value that is taken, as it is" }
  },
  {
    name: "control characters reach the log",
    find: "const line = escaped(text.slice(0, 2 * most))",
    replace: "const line = text",
    caught: { file: "messages.test.ts", title: "a message of its own" }
  },
  {
    name: "what reverses a text reaches the log",
    find: "|(?![\\u200c\\u200d])\\p{Cf}",
    replace: "",
    caught: { file: "messages.test.ts", title: "an item without a label" }
  },
  {
    name: "half a character is left where a text is cut",
    find: ".replace(/[\\ud800-\\udbff]$/, \"\")",
    replace: "",
    caught: { file: "RegistryError.test.ts", title: "a value is cut between characters" }
  },
  {
    name: "a message has the values of an item",
    find: "shown(item, (object) => `{${Object.keys(object)}}`)",
    replace: "show(item)",
    caught: { file: "labels.test.ts", title: "of an item without a unique value is itself" }
  },
  {
    name: "a message has all that is inside of a value",
    find: "key !== \"\" && typeof part === \"object\" && part !== null ? \"…\" : part",
    replace: "part",
    caught: { file: "messages.test.ts", title: "a value that nobody has, as it is" }
  },
  {
    name: "a message has bytes",
    find: "ArrayBuffer.isView(value) ? `(${value.byteLength})` : textOf(value)",
    replace: "textOf(value)",
    caught: { file: "labels.test.ts", title: "of an item without a unique value is itself" }
  },
  {
    name: "a proxy breaks a message",
    find: "    // it is a proxy, or has a getter that throws\n    return",
    replace: "    throw",
    caught: { file: "messages.test.ts", title: "an item without a label" }
  }
]
