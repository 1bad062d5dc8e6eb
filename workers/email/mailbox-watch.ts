/**
 * The one connection that listens. It waits in one folder by IDLE and asks for the others with STATUS meanwhile, so that
 * however many folders there are, providers that count connections count one.
 */
import { GatewayError } from "../../src/contract/errors.ts";
import type { AdapterLog } from "../../src/contract/adapter.ts";
import { after, every, orAborted, steadyNow } from "../../src/support/time.ts";
import type { FolderIntake } from "./folder-intake.ts";
import type { ImapConnection } from "./imap-connection.ts";

/** Servers end an IDLE after half an hour, some after ten minutes: it is begun anew, and the folder looked through. */
const idleRoundMs = 480_000;
/** A connection that nothing has come through for this long, or for the poll interval, is asked; one that does not answer is dead. */
const longestCheckAfterMs = 120_000;
const checkPeriodMs = 5_000;
const checkDeadlineMs = 8_000;
/** An IDLE that a server ends by itself so soon is none. */
const shortestIdleMs = 1_000;
const mostShortIdles = 3;

/** A name that other folders are below, and none itself. */
const isNoPlace = ["\\Noselect", "\\NonExistent"];

/** What a watch works with. */
export type MailboxWatchParts = {
  readonly log: AdapterLog;
  /** The last one is where it waits. */
  readonly folders: readonly FolderIntake[];
  readonly pollIntervalMs: number;
};

/** Reads the folders of one connection after the other. */
export class MailboxWatch {
  readonly #parts: MailboxWatchParts;
  readonly #unreadable = new Set<string>();
  #open: FolderIntake | null = null;
  #news = Promise.withResolvers<void>();
  #hasNews = false;

  constructor(parts: MailboxWatchParts) {
    this.#parts = parts;
  }

  /** Something has changed in the open folder. */
  onNews(): void {
    this.#hasNews = true;
    this.#news.resolve();
  }

  /**
   * Opens the folder where it waits, or the first one that opens.
   * @throws {GatewayError} `config_invalid` where none is there; what the server said last where one is.
   */
  async open(connection: ImapConnection): Promise<void> {
    let refusal: unknown;
    for (const folder of this.#parts.folders.toReversed())
      try {
        return await this.#select(connection, folder);
      } catch (reason) {
        // Said when it is visited.
        if (connection.isOver) throw reason;
        refusal = reason;
      }
    if (await this.#isAnyThere(connection)) throw refusal;
    const names = this.#parts.folders.map(({ name }) => JSON.stringify(name)).join(", ");
    throw new GatewayError("config_invalid", `Cannot read the mailbox: it has none of the folders ${names}`, {
      userAction: "Set folders of this adapter to folders that are there",
    });
  }

  /** A server refuses to open a folder for many reasons, most of which pass. */
  async #isAnyThere(connection: ImapConnection): Promise<boolean> {
    const listed = await connection.run("list the folders", (client) => client.list());
    const there = new Set(
      listed.filter(({ flags }) => !isNoPlace.some((flag) => flags.has(flag))).map(({ path }) => path),
    );
    return this.#parts.folders.some(({ name }) => there.has(name) || name.toUpperCase() === "INBOX");
  }

  /** Never resolves. @throws {GatewayError} why the connection is over; the signal's reason. */
  async run(connection: ImapConnection, signal: AbortSignal): Promise<never> {
    using _checks = every(
      checkPeriodMs,
      () => this.#checkWhenSilent(connection),
      () => {},
    );
    let waitsByIdle = connection.hasIdle;
    for (;;) {
      this.#hasNews = false;
      this.#news = Promise.withResolvers();
      let isMore = false;
      for (const folder of this.#parts.folders) isMore = (await this.#visit(connection, folder)) || isMore;
      if (isMore) continue;
      if (waitsByIdle && this.#open === this.#parts.folders.at(-1)) waitsByIdle = await this.#idle(connection, signal);
      else await this.#pause(this.#parts.pollIntervalMs, connection, signal);
    }
  }

  /**
   * Whether there is more to read. Folders that are gone, or that the server does not open or search, do not keep it from
   * the others; said when it changes.
   */
  async #visit(connection: ImapConnection, folder: FolderIntake): Promise<boolean> {
    const { log } = this.#parts;
    const { name } = folder;
    try {
      const isMore = await this.#read(connection, folder);
      if (this.#unreadable.delete(name)) log.info("email-folder-back", { folder: name });
      return isMore;
    } catch (reason) {
      if (connection.isOver) throw reason;
      if (!this.#unreadable.has(name))
        log.warn("email-folder-missing", { folder: name, error: GatewayError.from(reason).message });
      this.#unreadable.add(name);
      return false;
    }
  }

  async #read(connection: ImapConnection, folder: FolderIntake): Promise<boolean> {
    // An open folder's own news come with the answer to any command.
    if (this.#open === folder) await connection.check(checkDeadlineMs);
    else {
      const isWaitingPlace = folder === this.#parts.folders.at(-1);
      if (!isWaitingPlace && !(await this.#hasNewsIn(connection, folder))) return false;
      await this.#select(connection, folder);
    }
    return folder.catchUp(connection);
  }

  async #hasNewsIn(connection: ImapConnection, folder: FolderIntake): Promise<boolean> {
    const query = { uidNext: true, uidValidity: true } as const;
    const state = await connection.run(`look at the folder ${folder.name}`, (client) =>
      client.status(folder.name, query),
    );
    const { uidValidity, uidNext } = state === false ? {} : state;
    // A server that says neither is asked by opening it.
    return uidValidity === undefined || uidNext === undefined || folder.hasNews({ uidValidity, uidNext });
  }

  async #select(connection: ImapConnection, folder: FolderIntake): Promise<void> {
    // A server that does not open it has closed the one before.
    this.#open = null;
    await connection.run(`open the folder ${folder.name}`, (client) => client.mailboxOpen(folder.name));
    this.#open = folder;
  }

  /** Until there is news, or it is time to look around. Says whether IDLE is worth trying again. */
  async #idle(connection: ImapConnection, signal: AbortSignal): Promise<boolean> {
    const isAlone = this.#parts.folders.length === 1;
    using _round = after(isAlone ? idleRoundMs : this.#parts.pollIntervalMs, () => this.#news.resolve());
    const news = this.#news.promise.then((): "news" => "news");
    for (let short = 0; short < mostShortIdles;) {
      if (this.#hasNews) return true;
      const startedAtMs = steadyNow();
      const ended = await Promise.race([connection.idle(signal), news]);
      if (ended === "news") return true;
      if (ended === "refused") return false;
      // A check ends it as well.
      short = steadyNow() - startedAtMs < shortestIdleMs ? short + 1 : 0;
    }
    return false;
  }

  async #pause(delayMs: number, connection: ImapConnection, signal: AbortSignal): Promise<void> {
    if (this.#hasNews) return;
    using _round = after(delayMs, () => this.#news.resolve());
    await orAborted(connection.orOver(this.#news.promise), signal);
  }

  #checkWhenSilent(connection: ImapConnection): void {
    const checkAfterMs = Math.min(longestCheckAfterMs, this.#parts.pollIntervalMs);
    if (connection.isOver || !connection.isQuiet || connection.silentForMs < checkAfterMs) return;
    // That it failed is how the connection ends.
    connection.check(checkDeadlineMs).catch(() => {});
  }
}
