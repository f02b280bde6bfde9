exports.plugin = {
  id: "louder",
  commands: [
    { name: "shout", summary: "hello!!!", run: (text) => `${text}!!!` },
    { name: "upper", summary: "HELLO!", run: (text) => `${text.toUpperCase()}!` }
  ]
}
