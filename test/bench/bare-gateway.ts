/**
 * The yardstick of the end-to-end figures: one process, one thread, no walls. It stores message, reply and done mark in
 * grouped commits with full fsync and speaks the webhook's protocol, as far as `HttpConversation` needs it. What Bulkhead
 * costs beyond it is the price of isolation; and a machine that is slow today is slow for both.
 *
 * `node bare-gateway.ts PORT DIRECTORY`
 */
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import { join } from "node:path";
import { DatabaseSync } from "node:sqlite";

type Waiting = { readonly id: string; readonly room: string; readonly content: string; readonly done: () => void };
type Reply = { readonly cursor: number; readonly type: "text"; readonly content: string };
type Room = { replies: Reply[]; poll: ServerResponse | null };

const [port = "0", directory = "."] = process.argv.slice(2);
const database = new DatabaseSync(join(directory, "bare.db"));
database.exec(`
  PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL;
  CREATE TABLE message (id TEXT PRIMARY KEY, room TEXT, content TEXT, done INTEGER) WITHOUT ROWID;
  CREATE TABLE reply (cursor INTEGER PRIMARY KEY, room TEXT, content TEXT);
`);
const begin = database.prepare("BEGIN IMMEDIATE");
const commit = database.prepare("COMMIT");
const insertMessage = database.prepare("INSERT OR IGNORE INTO message VALUES (?, ?, ?, 0)");
const insertReply = database.prepare("INSERT INTO reply VALUES (?, ?, ?)");
const markDone = database.prepare("UPDATE message SET done = 1 WHERE id = ?");

const rooms = new Map<string, Room>();
let accepting: Waiting[] = [];
let handled: Waiting[] = [];
let cursor = 0;

/** One transaction for all that came in this turn of the loop, and for what the last one accepted. */
function group(): void {
  const accepted = accepting;
  const finished = handled;
  accepting = [];
  handled = accepted;
  begin.run();
  for (const { id, room, content } of accepted) insertMessage.run(id, room, content);
  const replies = finished.map(({ id, room, content }) => {
    cursor += 1;
    const text = content.slice(0, content.indexOf(" "));
    insertReply.run(cursor, room, text);
    markDone.run(id);
    return { room, reply: { cursor, type: "text", content: text } as const };
  });
  commit.run();
  for (const { done } of accepted) done();
  for (const { room, reply } of replies) {
    const box = roomOf(room);
    box.replies.push(reply);
    if (box.poll !== null) answerPoll(box, box.poll);
  }
  if (handled.length > 0) setImmediate(group);
}

function roomOf(name: string): Room {
  let room = rooms.get(name);
  if (room === undefined) rooms.set(name, (room = { replies: [], poll: null }));
  return room;
}

function answerPoll(room: Room, response: ServerResponse): void {
  room.poll = null;
  answer(response, 200, { messages: room.replies, cursor: room.replies.at(-1)?.cursor ?? 0 });
}

function answer(response: ServerResponse, status: number, value: unknown): void {
  const json = JSON.stringify(value);
  response.writeHead(status, { "Content-Type": "application/json", "Content-Length": Buffer.byteLength(json) });
  response.end(json);
}

function onPoll(url: string, response: ServerResponse): void {
  const { pathname, searchParams } = new URL(url, "http://localhost");
  const room = roomOf(pathname.slice("/poll/".length));
  const after = Number(searchParams.get("after") ?? 0);
  room.replies = room.replies.filter((reply) => reply.cursor > after);
  room.poll = response;
  if (room.replies.length > 0) answerPoll(room, response);
}

function onSend(body: string, response: ServerResponse): void {
  const { conversation_id: room, message_id: id, content } = JSON.parse(body) as Record<string, string>;
  if (room === undefined || id === undefined || content === undefined) return answer(response, 400, {});
  if (accepting.length === 0 && handled.length === 0) setImmediate(group);
  accepting.push({ id, room, content, done: () => answer(response, 202, { id }) });
}

function onRequest(request: IncomingMessage, response: ServerResponse): void {
  if (request.method === "GET") return onPoll(request.url ?? "", response);
  const chunks: Buffer[] = [];
  request.on("data", (chunk: Buffer) => chunks.push(chunk));
  request.on("end", () => onSend(Buffer.concat(chunks).toString(), response));
}

createServer(onRequest).listen(Number(port), "127.0.0.1", () => process.stdout.write("listening\n"));
