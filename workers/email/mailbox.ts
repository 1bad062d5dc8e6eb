/** Everything that one running mailbox consists of, put together and taken apart in one place. */
import type { AdapterContext, Policy } from "../../src/contract/adapter.ts";
import { GatewayError } from "../../src/contract/errors.ts";
import type { EmailSettings } from "../../src/contract/settings.ts";
import { orAborted } from "../../src/support/time.ts";
import { accountOf, type MailAccount } from "./account.ts";
import { FolderIntake } from "./folder-intake.ts";
import { HandOver } from "./hand-over.ts";
import { MailGate } from "./mail-gate.ts";
import { MailSender } from "./mail-sender.ts";
import { MailboxDesk } from "./mailbox-desk.ts";
import { MailboxListener } from "./mailbox-listener.ts";
import { MailboxWatch } from "./mailbox-watch.ts";
import { MimeReader } from "./mime-reader.ts";
import { Responder } from "./responder.ts";
import { SentCopies } from "./sent-copies.ts";
import { Threads } from "./threads.ts";

/** See the file's comment. */
export interface Mailbox {
  readonly account: MailAccount;
  readonly folders: readonly string[];
  readonly reader: MimeReader;
  readonly desk: MailboxDesk;
  readonly listener: MailboxListener;
  readonly responder: Responder;
  policy: Policy;
  /** Twice is harmless. */
  close(): Promise<void>;
}

/** Logged in, with its way in open. @throws {GatewayError} why it cannot be; nothing is left of it then. */
export async function openMailbox(context: AdapterContext<EmailSettings>, signal: AbortSignal): Promise<Mailbox> {
  await using stack = new AsyncDisposableStack();
  const { settings, log } = context;
  const shared = { policy: context.policy };
  const account = accountOf(settings);
  const folders = orderedFolders(settings.folders);
  const reader = stack.use(new MimeReader());
  const desk = stack.use(new MailboxDesk(account));
  const sender = stack.use(new MailSender(account));
  const allowedSenders = (): readonly string[] => shared.policy.allowedSenders;
  const threads = new Threads({ account, desk, reader, folders, allowedSenders });
  const ending = new AbortController();
  const onLeaving = threads.remember.bind(threads);
  const handOver = await orAborted(HandOver.open({ context, folders, onLeaving, signal: ending.signal }), signal);
  const gate = new MailGate({ context, account, policy: () => shared.policy });
  const intakes = folders.map(
    (name) => new FolderIntake(name, { log, gate, handOver, reader, marksSeen: settings.markSeen }),
  );
  const pollIntervalMs = settings.pollIntervalSecs * 1000;
  const watch = new MailboxWatch({ log, folders: intakes, pollIntervalMs });
  const refusal = smtpRefusal(sender, context);
  const listener = await MailboxListener.start({ context, account, watch }, signal);
  stack.defer(async () => {
    // It may be waiting for a gateway that takes nothing.
    ending.abort(new GatewayError("adapter_unavailable", "The adapter is stopping"));
    await listener.stop();
  });
  const refused = await orAborted(refusal, signal);
  if (refused !== null) throw refused;
  const maxAttachmentBytes = (): number => shared.policy.maxAttachmentBytes;
  const copies = new SentCopies({ account, desk, folders });
  const responder = new Responder({ account, sender, copies, threads, maxAttachmentBytes });
  const owned = stack.move();
  return {
    account,
    folders,
    reader,
    desk,
    listener,
    responder,
    get policy() {
      return shared.policy;
    },
    set policy(policy: Policy) {
      shared.policy = policy;
    },
    close: () => owned.disposeAsync(),
  };
}

/** Every one once, the one that is waited in last: the inbox, else the first by name, since their order means nothing. */
function orderedFolders(names: readonly string[]): readonly string[] {
  const unique = [...new Set(names.map((name) => (name.toUpperCase() === "INBOX" ? "INBOX" : name)))].toSorted();
  const [first = "INBOX"] = unique;
  const last = unique.includes("INBOX") ? "INBOX" : first;
  return [...unique.filter((name) => name !== last), last];
}

/**
 * Wrong credentials are said at once, and not with the first answer that is lost to them. A server that is away is no
 * reason not to hear. Never rejects.
 */
async function smtpRefusal(sender: MailSender, { log }: Pick<AdapterContext, "log">): Promise<GatewayError | null> {
  try {
    await sender.verify();
    return null;
  } catch (reason) {
    const error = GatewayError.from(reason);
    if (error.code === "unauthorized" || error.code === "config_invalid") return error;
    log.warn("email-smtp-unreachable", { error: error.message });
    return null;
  }
}
