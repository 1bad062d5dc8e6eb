/** A file to a chat: as what it is where Telegram shows that, as a document where not. */
import { InputFile } from "grammy";
import type { Opts } from "grammy/types";
import { isRefusal } from "./api.ts";
import type { ChatCalls } from "./chat-calls.ts";
import { documentCall, type FileCall, safeFilename } from "./file-call.ts";
import { captionLimit } from "./fit-text.ts";

const uploadDeadlineMs = 120_000;

/** One file. `caption` is Markdown that fits one. */
export type Upload = {
  readonly call: FileCall;
  readonly filename: string;
  readonly bytes: Buffer;
  readonly caption: string;
  readonly signal: AbortSignal;
};

/** Resolves with the new message's id. */
export async function uploadFile(calls: ChatCalls, conversation: string, upload: Upload): Promise<string> {
  try {
    return await uploadAs(calls, conversation, upload);
  } catch (reason) {
    // Telegram looks into pictures and films; what it cannot read goes as a file.
    const isUnreadable = isRefusal(reason) && /photo|image|video|voice|audio|animation/iu.test(reason.description);
    if (upload.call.method === "sendDocument" || !isUnreadable) throw reason;
    return uploadAs(calls, conversation, { ...upload, call: documentCall });
  }
}

function uploadAs(calls: ChatCalls, conversation: string, { call, ...upload }: Upload): Promise<string> {
  const send = (fields: { readonly caption?: string; readonly parse_mode?: "HTML" }): Promise<string> => {
    const file = new InputFile(upload.bytes, safeFilename(upload.filename));
    // The calls differ in the name of the file's field alone.
    const payload = { [call.field]: file, ...fields } as unknown as Omit<Opts<"sendDocument">, "chat_id">;
    const options = { signal: upload.signal, deadlineMs: uploadDeadlineMs };
    return calls.create(conversation, call.method as "sendDocument", payload, options);
  };
  if (upload.caption.trim() === "") return send({});
  return calls.formatted(upload.caption, captionLimit, ({ text, ...mode }) => send({ caption: text, ...mode }));
}
