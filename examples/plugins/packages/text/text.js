export default {
  id: "text",
  commands: [
    { name: "upper", summary: "HELLO", run: (text) => text.toUpperCase() },
    { name: "title", summary: "Hello", run: (text) => text.replace(/^./, (first) => first.toUpperCase()) }
  ]
}

// `plugin-reverse` has this id, too
export const reverse = { id: "reverse", commands: [] }
