/** E-mail on a real IMAP server: a full mailbox with a kill in the middle, and mails made to do harm. */
import { once } from "node:events";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Worker } from "node:worker_threads";
import { sleep } from "../../src/support/time.ts";
import { dovecotMissing } from "../emulators/email/dovecot.ts";
import { EmailPlatform } from "../emulators/email/platform.ts";
import type { RunningGateway } from "../support/gateway-fixture.ts";
import { hostileMails } from "../workers/email/hostile-mails.ts";
import { BenchHome, startGateway } from "./bench-gateway.ts";
import type { Figure } from "./figure.ts";
import { PlatformBench } from "./platform-bench.ts";
import { reportOf, sayOn } from "./platform-load.ts";
import type { Carriage } from "./mail-carrier.ts";

const section = "email";
const waiting = 1_000;
const perSecond = 200;
const mostRounds = 10;

/** Notes what it hears, and says when it is half of it and all of it. */
const handler = `import { appendFileSync } from "node:fs";
const seen = new Set();
export default function handle(message, context) {
  appendFileSync(new URL("./heard", import.meta.url), message.text + "\\n");
  seen.add(message.text);
  if (seen.size === ${waiting / 2} || seen.size === ${waiting}) context.log.info("bench-heard", { count: seen.size });
}
`;

/** Unread mails in the inbox when the gateway starts; in a second run its process is killed at half of them. */
export async function measureEmailBacklog(): Promise<readonly Figure[]> {
  requireDovecot();
  const note = `${waiting} unread mails in the inbox`;
  const { seconds } = await readBacklog(false);
  const killed = await readBacklog(true);
  return [
    {
      section,
      name: "waiting mails, into the journal and handled",
      value: waiting / seconds,
      unit: "messages/s",
      target: { atLeast: 50 },
      note,
    },
    {
      section,
      name: "mails lost over kill -9 of the coordinator",
      value: waiting - killed.distinct,
      unit: "messages",
      target: { atMost: 0 },
      note,
    },
    {
      section,
      name: "of those, handled twice",
      value: killed.handled - killed.distinct,
      unit: "messages",
      note: "under lease at the kill",
    },
  ];
}

type Backlog = { readonly seconds: number; readonly handled: number; readonly distinct: number };

async function readBacklog(isKilled: boolean): Promise<Backlog> {
  using home = new BenchHome();
  await using email = await EmailPlatform.start();
  for (let number = 0; number < waiting; number += 1) {
    const fields = `From: Ann <ann@people.example>\r\nMessage-ID: <${number}@people.example>\r\nSubject: ${number}`;
    await email.maildrop.deliver(Buffer.from(`${fields}\r\n\r\nmail number ${number}\r\n`));
  }
  home.writeFile("handler.mjs", handler);
  home.writeConfig(`[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[messaging.email]\n${email.toml}\n`);
  const startedAtMs = performance.now();
  if (isKilled) {
    await using first = await startGateway(home);
    await heard(first);
    first.signal("SIGKILL");
    await first.ended;
  }
  await using gateway = await startGateway(home);
  const running = await gateway.reached("email", "running");
  const runningAtMs = isKilled ? startedAtMs : Date.parse(running.since);
  // The second process has a set of its own: it is over when the mailbox has nothing more.
  if (isKilled) await allMarked(email);
  else await heard(gateway, waiting);
  const seconds = isKilled ? Number.NaN : (Date.now() - runningAtMs) / 1000;
  await sleep(1_000);
  const texts = readFileSync(join(home.dir, "heard"), "utf8").trimEnd().split("\n");
  return { seconds, handled: texts.length, distinct: new Set(texts).size };
}

async function heard(gateway: RunningGateway, count = waiting / 2): Promise<void> {
  await gateway.logged((line) => line.event === "bench-heard" && Number(line["count"]) >= count);
}

async function allMarked(email: EmailPlatform): Promise<void> {
  for (let uid = 1; uid <= waiting; uid += 1)
    await email.imap.marked.first((marked) => marked === uid, `mail ${uid} marked as seen`);
}

/** Each in a gateway of its own, beside two other platforms under load. */
export async function measureHostileMails(): Promise<readonly Figure[]> {
  requireDovecot();
  const mails = hostileMails();
  const cases: readonly (readonly [string, Buffer])[] = [
    // Only to compare: a slow machine is told from a slow gateway.
    ["a plain mail", Buffer.from("From: Ann <ann@people.example>\r\n\r\nhello\r\n")],
    ["a mail of 25 MB", largeMail()],
    ["a mail of 10,000 parts", Buffer.from(mails["ten thousand parts"] ?? "")],
    ["ReDoS-shaped HTML", Buffer.from(mails["HTML nested without end"] ?? "")],
  ];
  const figures: Figure[] = [];
  for (const [name, mail] of cases)
    figures.push({
      section,
      name: `others' p99 while ${name} comes in`,
      value: await othersUnder(mail),
      unit: "ms",
      target: { below: 100 },
      note: `${perSecond} messages/s through each of two others, in the same host`,
    });
  return figures;
}

async function othersUnder(mail: Buffer): Promise<number> {
  await using bench = await PlatformBench.start(["slack", "telegram", "email"]);
  const victim = bench.adapters.find(({ platform }) => platform.platform === "email");
  const others = bench.adapters.filter((adapter) => adapter !== victim);
  const [asker] = others;
  if (victim === undefined || asker === undefined || !(victim.platform instanceof EmailPlatform))
    throw new Error("There is no adapter to measure");
  await sayOn(others, { perSecond, seconds: 2 });
  const delivered = carry({ port: victim.platform.dovecot.ports.lmtp, to: victim.platform.address, raw: mail });
  let rounds = 0;
  do {
    await sayOn(others, { perSecond, seconds: 4 });
    rounds += 1;
  } while (rounds < mostRounds && (await heardMails(bench, victim.key)) === 0);
  await delivered;
  if ((await heardMails(bench, victim.key)) !== 1) throw new Error("The mail was not heard in time");
  return (await reportOf(bench, asker)).p99Ms;
}

/** Resolves when it is in the inbox. */
async function carry(workerData: Carriage): Promise<void> {
  const thread = new Worker(new URL("./mail-carrier.ts", import.meta.url), { workerData });
  const [code] = (await once(thread, "exit")) as [number];
  if (code !== 0) throw new Error(`The mail was not taken: its carrier ended with ${code}`);
}

async function heardMails(bench: PlatformBench, key: string): Promise<number> {
  const { adapters } = await bench.gateway.status();
  return adapters.find((adapter) => adapter.key === key)?.messages.in ?? 0;
}

function largeMail(): Buffer {
  const line = `${"QUJD".repeat(19)}\r\n`;
  const file = line.repeat(Math.ceil(26_214_400 / line.length));
  return Buffer.from(
    "From: Ann <ann@people.example>\r\nMessage-ID: <large@people.example>\r\nMIME-Version: 1.0\r\n" +
      "Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nsee the file\r\n--b\r\n" +
      `Content-Type: application/zip; name=a.zip\r\nContent-Transfer-Encoding: base64\r\n\r\n${file}--b--\r\n`,
  );
}

function requireDovecot(): void {
  if (dovecotMissing !== false) throw new Error(`Cannot measure e-mail: it ${dovecotMissing}`);
}
