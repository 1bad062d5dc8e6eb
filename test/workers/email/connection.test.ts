import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { GatewayError } from "../../../src/contract/errors.ts";
import { AdapterBench } from "../../conformance/adapter-bench.ts";
import { FakeClock } from "../../conformance/fake-clock.ts";
import { within } from "../../conformance/within.ts";
import { dovecotMissing, sharedPassword } from "../../emulators/email/dovecot.ts";
import { EmailPlatform, smtpPassword } from "../../emulators/email/platform.ts";
import { mailOf, plainHeader, startEmail } from "./email-bench.ts";

function commandsOf(email: EmailPlatform, pattern: RegExp): number {
  return email.imap.commands.items.filter((command) => pattern.test(command)).length;
}

describe("the listening connection", { skip: dovecotMissing }, () => {
  it("is followed by another one when the server says goodbye, in the same life", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    await bench.hear("before");
    email.imap.sayBye();
    await bench.hear("after");
    assert.equal(bench.generation, 1);
    assert.deepEqual(
      bench.ledger.signs.items.map(({ kind }) => kind),
      ["started", "reconnecting", "connected"],
    );
    assert.match(bench.ledger.signs.items[1]?.reason ?? "", /shutting down/u);
  });

  it("is asked for a sign of life when it is silent, and begins IDLE anew", async () => {
    await using clock = new FakeClock();
    await using started = await startEmail();
    const { email, bench } = started;
    await bench.hear("before");
    await email.imap.commands.first((command) => command === "IDLE", "IDLE");
    const before = {
      noop: commandsOf(email, /^NOOP$/u),
      idle: commandsOf(email, /^IDLE$/u),
      frames: bench.ledger.frames,
    };
    assert.ok(await clock.advanceUntil(() => commandsOf(email, /^NOOP$/u) > before.noop, 130), "it is never asked");
    await email.imap.commands.count(before.idle + 1, "IDLE begun anew", (command) => command === "IDLE");
    assert.ok(bench.ledger.frames > before.frames);
    assert.deepEqual(email.connections, { live: 1, total: 1 });
  });

  it("has its folder looked through at least every eight minutes, whatever IDLE says", async () => {
    await using clock = new FakeClock();
    await using started = await startEmail();
    const { email, bench } = started;
    await bench.hear("before");
    await email.imap.commands.first((command) => command === "IDLE", "IDLE");
    // A server whose IDLE tells of nothing.
    email.imap.rewrite = (bytes) =>
      Buffer.from(bytes.toString("latin1").replaceAll(/^\* \d+ EXISTS\r\n/gmu, ""), "latin1");
    await email.deliver(mailOf(plainHeader("unheard"), "unheard of"));
    const before = commandsOf(email, /^UID SEARCH/u);
    assert.ok(
      await clock.advanceUntil(() => commandsOf(email, /^UID SEARCH/u) > before, 8 * 60 + 30),
      "it never looks",
    );
    await bench.ledger.acceptedText("unheard of");
  });

  for (const [what, pattern] of [
    ["a search", /^UID SEARCH/u],
    ["a fetch", /^UID FETCH/u],
    ["an open folder", /^SELECT/u],
  ] as const)
    it(`is given up when ${what} is never answered, and everything comes over the next one`, async () => {
      await using clock = new FakeClock();
      const email = await EmailPlatform.start();
      await using _email = email;
      await email.deliver(mailOf(plainHeader("one"), "one"));
      let hangs = 1;
      email.imap.onCommand = (command) => {
        if (!pattern.test(command) || hangs === 0) return null;
        hangs -= 1;
        return { kind: "hang" };
      };
      await using bench = new AdapterBench(email);
      bench.keepRunning();
      const started = bench.start();
      started.catch(() => {});
      // Hurried no further than that: a mail is read in a thread that has the machine's own time.
      const isGivenUp = (): boolean => email.connections.total > 1 || bench.ledger.errors.length > 0;
      assert.ok(await clock.advanceUntil(isGivenUp, 180), "it waits on");
      // A start that cannot open its folder has failed, and is tried again by the supervisor.
      if (bench.ledger.errors.length > 0) await bench.start();
      await bench.ledger.acceptedText("one");
      assert.equal(bench.ledger.texts().length, 1);
    });

  it("is given up when its login is never answered", async () => {
    await using clock = new FakeClock();
    await using started = await startEmail();
    const { email, bench } = started;
    await bench.hear("before");
    // Dovecot never sees it.
    email.imap.rewriteCommand = (line) => (/^\S+ (?:AUTHENTICATE|LOGIN)/iu.test(line) ? "" : line);
    email.dropConnections();
    assert.ok(await clock.advanceUntil(() => email.connections.total > 2, 60), "it waits on");
    email.imap.rewriteCommand = (line) => line;
    await clock.hurry(bench.hear("after"), 60, "the message after it");
  });

  it("stays open while the gateway takes nothing", async () => {
    await using clock = new FakeClock();
    await using started = await startEmail();
    const { email, bench } = started;
    bench.ledger.hold();
    await email.deliver(mailOf(plainHeader("one"), "one"));
    await bench.ledger.emitted.count(1, "the emission of a mail");
    const { frames } = bench.ledger;
    assert.ok(
      await clock.advanceUntil(() => bench.ledger.frames >= frames + 2, 300),
      "it does not ask for signs of life",
    );
    bench.ledger.release();
    await bench.ledger.acceptedText("one");
    assert.deepEqual(email.connections, { live: 1, total: 1 });
  });

  it("that is frozen does not pass for alive when it is probed", async () => {
    await using clock = new FakeClock();
    await using started = await startEmail();
    const { email, bench } = started;
    await bench.hear("before");
    email.freezeConnections();
    await clock.advance(6);
    const outcome = await clock.outcomeOf(bench.running.probe?.() ?? Promise.resolve(), 10, "the end of a probe");
    assert.equal(outcome.kind, "rejected");
  });
});

describe("a login", { skip: dovecotMissing }, () => {
  it("that is throttled in words is tried again no earlier than they say", async () => {
    const email = await EmailPlatform.start();
    await using _email = email;
    const throttled = "$1 BAD Request is throttled. Suggested Backoff Time: 92415 milliseconds\r\n";
    email.imap.rewrite = (bytes) =>
      Buffer.from(
        bytes.toString("latin1").replace(/^(\S+) OK \[CAPABILITY [^\]]*\] Logged in\r\n/mu, throttled),
        "latin1",
      );
    await using bench = new AdapterBench(email);
    await assert.rejects(within(bench.start(), "the end of start"), (reason: GatewayError) => {
      assert.deepEqual(
        [reason.code, reason.retry],
        ["rate_limited", { kind: "after", delayMs: 92_415 }],
        reason.message,
      );
      return true;
    });
  });

  it("is by token where there is one, on both servers", async () => {
    const token = smtpPassword;
    const email = await EmailPlatform.start({
      settings: { oauth2AccessToken: token, imapPassword: "", smtpPassword: "" },
      smtp: { authMethods: ["XOAUTH2"], disabledCommands: ["STARTTLS"] },
    });
    await using _email = email;
    const right = Buffer.from(`user=${email.address}\u0001auth=Bearer ${token}\u0001\u0001`).toString("base64");
    const plain = Buffer.from(`\0${email.address}\0${sharedPassword}`).toString("base64");
    const logins: string[] = [];
    // Dovecot is asked in the way it knows, once what the adapter says is right.
    email.imap.rewrite = (bytes) =>
      Buffer.from(bytes.toString("latin1").replaceAll("AUTH=PLAIN AUTH=LOGIN", "AUTH=XOAUTH2"), "latin1");
    email.imap.rewriteCommand = (line) => {
      const [, tag, given] = /^(\S+) AUTHENTICATE XOAUTH2 (\S+)\r\n$/u.exec(line) ?? [];
      if (given === undefined) return line;
      logins.push(given);
      return `${tag} AUTHENTICATE PLAIN ${given === right ? plain : "AAAA"}\r\n`;
    };
    await using bench = await AdapterBench.start(email);
    const asked = await bench.hear("who is there");
    await bench.answer(asked, "it is me");
    assert.deepEqual(logins, [right]);
    assert.deepEqual([...new Set(email.agent.logins.items)], [token]);
    assert.equal(email.agent.taken.items.length, 1);
  });
});
