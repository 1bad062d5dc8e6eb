/** Wrong about texts and files. */
import { readFile, writeFile } from "node:fs/promises";
import { dirname, join } from "node:path";
import type { RunningAdapter, SendRequest } from "../../../../src/contract/adapter.ts";
import { withMessages, withRunning, withSend, type AcmeModule, type Defect } from "./defect.ts";

type Fetch = NonNullable<RunningAdapter["attachment"]>;

/** Another `attachment`; `fetch` is the example's. */
function withFetch(change: (request: Parameters<Fetch>[0], fetch: Fetch) => ReturnType<Fetch>): AcmeModule {
  return withRunning((running) => ({
    attachment: (request) =>
      change(request, async (changed) => (await running.attachment?.(changed)) ?? { sizeBytes: 0 }),
  }));
}

/** The text of `request` put through `change`, each part a message of its own. */
function withText(change: (text: string) => readonly string[]): AcmeModule {
  return withSend(async (request, send) => {
    const { response } = request;
    if (response.kind !== "text") return send(request);
    const parts: readonly SendRequest[] = change(response.text).map((text, index) => ({
      ...request,
      response: { kind: "text", text },
      idempotencyKey: `${request.idempotencyKey}-${index}`,
    }));
    for (const part of parts) await send(part);
  });
}

/** See each. */
export const textDefects: readonly Defect[] = [
  {
    does: "reads what it hears as Latin-1",
    module: withMessages((message) => ({ ...message, text: Buffer.from(message.text).toString("latin1") })),
    fails: { texts: ["hears texts of every script"] },
  },
  {
    does: "cuts what it hears",
    module: withMessages((message) => ({ ...message, text: message.text.slice(0, 280) })),
    fails: { texts: ["hears the longest text"] },
  },
  {
    does: "says a text as if it were markup",
    module: withText((text) => [text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll(">", "&gt;")]),
    fails: { texts: ["says texts of every script, and takes none for markup"] },
  },
  {
    does: "cuts off what is too long",
    module: withText((text) => [Array.from(text).slice(0, 500).join("")]),
    fails: {
      texts: [
        "says a long text in parts",
        "never cuts a character in two",
        "says the over-long end of a stream in parts",
      ],
    },
  },
  {
    does: "cuts characters in two",
    // UTF-16 units, an even number of them after an odd one.
    module: withText((text) => text.match(/[^]{1,400}/g) ?? []),
    fails: { texts: ["never cuts a character in two"] },
  },
  {
    does: "leaves out files with strange names",
    module: withMessages((message) => ({
      ...message,
      attachments: (message.attachments ?? []).filter(({ filename = "" }) => !/[/\\]/u.test(filename)),
    })),
    fails: {
      attachments: ["hears of files with hostile names", "writes a file where it is told, whatever its name"],
    },
  },
  {
    does: "writes a file as text",
    module: withFetch(async (request, fetch) => {
      const fetched = await fetch(request);
      await writeFile(request.path, await readFile(request.path, "utf8"));
      return fetched;
    }),
    fails: { attachments: ["fetches a file"] },
  },
  {
    does: "takes files of any size",
    module: withFetch((request, fetch) => fetch({ ...request, maxBytes: 1e9 })),
    fails: { attachments: ["refuses a file that is too large"] },
  },
  {
    does: "leaves a part of a file behind",
    module: withFetch(async (request, fetch) => {
      await writeFile(join(dirname(request.path), "download.part"), "");
      return fetch(request);
    }),
    fails: { attachments: ["writes a file where it is told, whatever its name"] },
  },
  {
    does: "takes a file that is not there for an empty one",
    module: withFetch(async (request, fetch) => {
      try {
        return await fetch(request);
      } catch {
        await writeFile(request.path, "");
        return { sizeBytes: 0 };
      }
    }),
    fails: { attachments: ["refuses a file that is too large", "fetches nothing but its own references"] },
  },
];
