/**
 * TypeScript's language server for one file, as an editor uses it.
 */
import { spawn } from "node:child_process"
import * as Path from "node:path"
import { pathToFileURL } from "node:url"

export interface LanguageServer {
  /** The hover text of the first place of a text in the file, without the documentation. */
  readonly hover: (text: string) => Promise<string>
  /** The errors in the file, with their lines. */
  readonly errors: () => Promise<ReadonlyArray<{ readonly line: number; readonly message: string }>>
  readonly stop: () => void
}

interface Message {
  readonly id?: number
  readonly method?: string
  readonly params?: any
  readonly result?: any
  readonly error?: unknown
}

export const start = async (root: string, file: string, text: string): Promise<LanguageServer> => {
  const tsc = spawn(Path.join(root, "node_modules/.bin/tsc"), ["--lsp", "--stdio"], { cwd: root })
  const answers = new Map<number, (message: Message) => void>()
  let input = Buffer.alloc(0)

  const send = (message: Message): void => {
    const body = JSON.stringify({ jsonrpc: "2.0", ...message })
    tsc.stdin.write(`Content-Length: ${Buffer.byteLength(body)}\r\n\r\n${body}`)
  }
  const receive = (message: Message): void => {
    if (message.id === undefined) return
    if (message.method === undefined) answers.get(message.id)?.(message)
    // it asks for the configuration of the editor, which is empty
    else send({ id: message.id, result: message.params?.items?.map(() => null) ?? null })
  }
  tsc.stdout.on("data", (chunk: Buffer) => {
    input = Buffer.concat([input, chunk])
    for (;;) {
      const header = /^[^]*?Content-Length: (\d+)[^]*?\r\n\r\n/.exec(input.toString("latin1"))
      if (header === null) return
      const end = header[0].length + Number(header[1])
      if (input.length < end) return
      const body = input.subarray(header[0].length, end)
      input = input.subarray(end)
      receive(JSON.parse(body.toString()))
    }
  })

  let requests = 0
  const request = (method: string, params: unknown): Promise<any> =>
    new Promise((resolve, reject) => {
      const id = ++requests
      answers.set(id, ({ error, result }) => error === undefined ? resolve(result) : reject(error))
      send({ id, method, params })
    })

  const uri = pathToFileURL(file).href
  const rootUri = pathToFileURL(root).href
  await request("initialize", {
    processId: process.pid,
    rootUri,
    workspaceFolders: [{ uri: rootUri, name: "root" }],
    capabilities: { textDocument: { hover: { contentFormat: ["markdown"] }, diagnostic: {} } }
  })
  send({ method: "initialized", params: {} })
  send({
    method: "textDocument/didOpen",
    params: { textDocument: { uri, languageId: "typescript", version: 1, text } }
  })

  return {
    hover: async (at) => {
      const before = text.slice(0, text.indexOf(at)).split("\n")
      const position = { line: before.length - 1, character: before.at(-1)!.length }
      const { contents } = await request("textDocument/hover", { textDocument: { uri }, position })
      return /^```\w+\n([^]*?)\n```/.exec(contents.value)![1]!
    },
    errors: async () => {
      const { items } = await request("textDocument/diagnostic", { textDocument: { uri } })
      return items
        .filter(({ severity }: { readonly severity: number }) => severity === 1)
        .map(({ message, range }: any) => ({ line: range.start.line + 1, message }))
    },
    stop: () => void tsc.kill()
  }
}
