/** What a Telegram message says: its text, and its files by reference. Pure. */
import type { Message, PhotoSize } from "grammy/types";
import type { Attachment } from "../../src/contract/message.ts";

/** A message's content. */
export type Content = { readonly text: string; readonly attachments: readonly Partial<Attachment>[] };

/** A file as Telegram describes it; every kind has these. */
type TelegramFile = {
  readonly file_id: string;
  readonly file_unique_id: string;
  readonly file_size?: number;
  readonly file_name?: string;
  readonly mime_type?: string;
};
/** What a file is when Telegram does not say it. */
type FileKind = { readonly name: string; readonly extension: string; readonly mimeType: string };

/** `null` for service messages and what no text or file stands for. */
export function contentOf(message: Message): Content | null {
  const attachments = attachmentsOf(message);
  const text = message.text ?? message.caption ?? describe(message);
  if (typeof text === "string") return { text, attachments };
  return attachments.length === 0 ? null : { text: message.sticker?.emoji ?? "", attachments };
}

function attachmentsOf(message: Message): readonly Partial<Attachment>[] {
  if (message.photo !== undefined) return [largestPhoto(message.photo)];
  // A GIF comes as a document too, for clients that know no animations.
  if (message.animation !== undefined) return [attachment(message.animation, kinds.animation)];
  if (message.document !== undefined) return [attachment(message.document, kinds.document)];
  if (message.video !== undefined) return [attachment(message.video, kinds.video)];
  if (message.video_note !== undefined) return [attachment(message.video_note, kinds.video)];
  if (message.voice !== undefined) return [attachment(message.voice, kinds.voice)];
  if (message.audio !== undefined) return [attachment(message.audio, kinds.audio)];
  if (message.sticker !== undefined) return [attachment(message.sticker, stickerKind(message.sticker))];
  return [];
}

const kinds = {
  photo: { name: "photo", extension: "jpg", mimeType: "image/jpeg" },
  animation: { name: "animation", extension: "mp4", mimeType: "video/mp4" },
  document: { name: "document", extension: "bin", mimeType: "application/octet-stream" },
  video: { name: "video", extension: "mp4", mimeType: "video/mp4" },
  voice: { name: "voice", extension: "ogg", mimeType: "audio/ogg" },
  audio: { name: "audio", extension: "mp3", mimeType: "audio/mpeg" },
} as const satisfies Readonly<Record<string, FileKind>>;

function stickerKind(sticker: { readonly is_animated: boolean; readonly is_video: boolean }): FileKind {
  if (sticker.is_animated) return { name: "sticker", extension: "tgs", mimeType: "application/x-tgsticker" };
  if (sticker.is_video) return { name: "sticker", extension: "webm", mimeType: "video/webm" };
  return { name: "sticker", extension: "webp", mimeType: "image/webp" };
}

/** One picture comes in several sizes. */
function largestPhoto(sizes: readonly PhotoSize[]): Partial<Attachment> {
  const [largest] = sizes.toSorted((left, right) => right.width * right.height - left.width * left.height);
  if (largest === undefined) throw new TypeError("a photo without sizes");
  return attachment(largest, kinds.photo);
}

function attachment(file: TelegramFile, kind: FileKind): Partial<Attachment> {
  if (typeof file.file_id !== "string" || file.file_id === "") throw new TypeError("a file without file_id");
  return {
    filename: file.file_name ?? `${kind.name}_${file.file_unique_id}.${kind.extension}`,
    mimeType: file.mime_type ?? kind.mimeType,
    sizeBytes: file.file_size ?? null,
    ref: file.file_id,
  };
}

/** In words, what has neither text nor a file. */
function describe(message: Message): string | null {
  if (message.venue !== undefined) return `[venue: ${message.venue.title}, ${message.venue.address}]`;
  if (message.location !== undefined) return `[location: ${message.location.latitude}, ${message.location.longitude}]`;
  if (message.contact !== undefined) {
    const { first_name: first, last_name: last, phone_number: phone } = message.contact;
    return `[contact: ${last === undefined ? first : `${first} ${last}`}, ${phone}]`;
  }
  if (message.poll !== undefined) return `[poll: ${message.poll.question}]`;
  if (message.dice !== undefined) return `[dice: ${message.dice.emoji} ${message.dice.value}]`;
  return null;
}
