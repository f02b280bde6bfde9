// package.json offers `rotate`, too, which is not here any more
export const reverse = {
  id: "reverse",
  commands: [{ name: "reverse", summary: "olleh", run: (text) => Array.from(text).toReversed().join("") }]
}
