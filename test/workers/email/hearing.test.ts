import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { turns, within } from "../../conformance/within.ts";
import { dovecotMissing } from "../../emulators/email/dovecot.ts";
import type { EmailPlatform } from "../../emulators/email/platform.ts";
import { mailOf, plainHeader, startEmail } from "./email-bench.ts";

/** Which mails of the inbox are marked as seen, by subject. */
async function seenIn(email: EmailPlatform, folder = "INBOX"): Promise<readonly string[]> {
  return email.maildrop.asOwner(async (client) => {
    await client.mailboxOpen(folder, { readOnly: true });
    const mails = await client.fetchAll({ seen: true }, { envelope: true }, { uid: true });
    await client.mailboxOpen("INBOX");
    return mails.map(({ envelope }) => envelope?.subject ?? "").toSorted();
  });
}

async function putInto(email: EmailPlatform, folder: string, mail: Buffer, flags: string[] = []): Promise<void> {
  await email.maildrop.asOwner(async (client) => {
    await client.append(folder, mail, flags);
  });
}

describe("a mailbox that is read for the first time", { skip: dovecotMissing }, () => {
  it("gives what is unread in it, and then whatever comes", async () => {
    await using started = await startEmail({
      before: async (email) => {
        for (const id of ["old", "unread", "older"]) await email.deliver(mailOf(plainHeader(id), id));
        await email.maildrop.asOwner((client) => client.messageFlagsAdd("1,3", ["\\Seen"], { uid: true }));
      },
    });
    const { email, bench } = started;
    await bench.ledger.acceptedText("unread");
    await email.deliver(mailOf(plainHeader("new"), "new"));
    await bench.ledger.acceptedText("new");
    assert.deepEqual(bench.ledger.texts(), ["unread", "new"]);
  });

  it("goes on by UID: what somebody else reads meanwhile is heard all the same", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    await bench.hear("present");
    await bench.stop();
    await email.deliver(mailOf(plainHeader("absent"), "absent"));
    await email.maildrop.asOwner((client) => client.messageFlagsAdd("1:*", ["\\Seen"], { uid: true }));
    await bench.start();
    await bench.ledger.acceptedText("absent");
    assert.deepEqual(bench.ledger.texts(), ["present", "absent"]);
  });

  it("begins at the same place when it dies before anything is accepted", async () => {
    await using started = await startEmail({
      before: (email) => email.deliver(mailOf(plainHeader("one"), "one")),
    });
    const { email, bench } = started;
    bench.ledger.hold();
    await bench.ledger.emitted.count(1, "the emission of a mail");
    await email.deliver(mailOf(plainHeader("two"), "two"));
    // What was there at the beginning is somebody's to have read; what came later is heard all the same.
    await email.maildrop.asOwner((client) => client.messageFlagsAdd("1:*", ["\\Seen"], { uid: true }));
    await bench.respawn();
    await bench.ledger.acceptedText("two");
  });
});

describe("a folder that was numbered anew", { skip: dovecotMissing }, () => {
  it("is read again from its last mail on, without saying anything twice", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    for (const text of ["one", "two"]) await bench.hear(text);
    await bench.stop();
    await email.deliver(mailOf(plainHeader("three"), "three"));
    // Read by somebody, but after the last mail that was heard.
    await email.maildrop.asOwner((client) => client.messageFlagsAdd("1:*", ["\\Seen"], { uid: true }));
    email.dovecot.administer("mailbox", "update", "-u", email.address, "--uid-validity", "4000000000", "INBOX");
    const before = bench.ledger.emitted.items.length;
    await bench.start();
    await bench.ledger.acceptedText("three");
    await bench.hear("four");
    assert.deepEqual(bench.ledger.texts(), ["one", "two", "three", "four"]);
    // What it knows it does not even hand over.
    assert.equal(bench.ledger.emitted.items.length, before + 2);
  });
});

describe("several folders", { skip: dovecotMissing }, () => {
  const folders = ["Support", "Absent", "INBOX"];

  async function withFolders(run: (started: Awaited<ReturnType<typeof startEmail>>) => Promise<void>): Promise<void> {
    await using started = await startEmail({
      settings: { folders, pollIntervalSecs: 1 },
      before: async (email) => {
        await email.maildrop.asOwner(async (client) => {
          await client.mailboxCreate("Support");
        });
      },
    });
    await run(started);
  }

  it("are all read, over one connection", async () => {
    await withFolders(async ({ email, bench }) => {
      await putInto(email, "Support", mailOf(plainHeader("in-support"), "in support"));
      await bench.hear("in the inbox");
      const heard = await bench.ledger.acceptedText("in support");
      assert.equal(heard.metadata?.["email_folder"], "Support");
      assert.deepEqual(email.connections, { live: 1, total: 1 });
      await within(
        email.imap.commands.first((command) => /^IDLE$/u.test(command), "IDLE after all"),
        "IDLE",
      );
    });
  });

  it("that are gone are said once and keep nobody from the others, and are read when they are back", async () => {
    await withFolders(async ({ email, bench }) => {
      await bench.hear("in the inbox");
      const missing = await bench.ledger.log.first(({ event }) => event === "email-folder-missing", "a missing folder");
      assert.equal(missing.fields["folder"], "Absent");
      await putInto(email, "Support", mailOf(plainHeader("a"), "first"));
      await bench.ledger.acceptedText("first");
      await putInto(email, "Support", mailOf(plainHeader("b"), "second"));
      await bench.ledger.acceptedText("second");
      const said = bench.ledger.log.items.filter(({ event }) => event === "email-folder-missing");
      assert.equal(said.length, 1);
      await email.maildrop.asOwner((client) => client.mailboxCreate("Absent"));
      await putInto(email, "Absent", mailOf(plainHeader("c"), "third"));
      await bench.ledger.acceptedText("third");
      await bench.ledger.log.first(({ event }) => event === "email-folder-back", "the folder back");
    });
  });

  it("of which none is there end the start, with what to do", async () => {
    await assert.rejects(
      startEmail({ settings: { folders: ["Nowhere"] } }),
      (reason: { code: string; userAction: string }) => {
        assert.equal(reason.code, "config_invalid");
        assert.match(reason.userAction, /folders/u);
        return true;
      },
    );
  });
});

describe("a folder that does not say where it ends", { skip: dovecotMissing }, () => {
  it("is read from there on all the same", async () => {
    await using started = await startEmail({
      before: async (email) => {
        await email.deliver(mailOf(plainHeader("old"), "long since read"));
        await email.maildrop.asOwner((client) => client.messageFlagsAdd("1:*", ["\\Seen"]));
        email.imap.rewrite = (bytes) =>
          Buffer.from(bytes.toString("latin1").replaceAll(/^\* OK \[UIDNEXT [^\r]*\r\n/gmu, ""), "latin1");
      },
    });
    await started.bench.hear("new");
    assert.deepEqual(
      started.bench.ledger.accepted.items.map(({ message }) => message.text),
      ["new"],
    );
  });
});

describe("a folder that the server does not open just now", { skip: dovecotMissing }, () => {
  it("is no fault of the config", async () => {
    await assert.rejects(
      startEmail({
        before: async (email) => {
          email.imap.onCommand = (command) =>
            command.startsWith("SELECT") ? { kind: "server_error", status: 503, times: 1 } : null;
        },
      }),
      { code: "platform_unavailable" },
    );
  });
});

describe("what is marked as read", { skip: dovecotMissing }, () => {
  it("is what was accepted, and neither what was dropped nor what is not known", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    await email.deliver(mailOf(plainHeader("dropped", "Auto-Submitted: auto-replied"), "I am away"));
    await email.deliver(mailOf(plainHeader("heard"), "heard"));
    await bench.ledger.acceptedText("heard");
    await within(email.imap.marked.count(1, "a mail marked as seen"), "a mark");
    assert.deepEqual(await seenIn(email), ["heard"]);
    assert.deepEqual(bench.ledger.texts(), ["heard"]);
    const dropped = bench.ledger.log.items.filter(({ event }) => event === "email-mail-dropped");
    assert.deepEqual(
      dropped.map(({ fields }) => [fields["kind"], fields["count"]]),
      [["auto_submitted", 1]],
    );
  });

  it("is nothing where that is not wanted", async () => {
    await using started = await startEmail({ settings: { markSeen: false } });
    const { email, bench } = started;
    await email.deliver(mailOf(plainHeader("one"), "one"));
    await email.deliver(mailOf(plainHeader("two"), "two"));
    await bench.ledger.acceptedText("two");
    await bench.stop();
    assert.deepEqual(await seenIn(email), []);
    await bench.start();
    await email.deliver(mailOf(plainHeader("three"), "three"));
    await bench.ledger.acceptedText("three");
    assert.deepEqual(bench.ledger.texts(), ["one", "two", "three"]);
  });

  it("is marked in the next life where this one died before it could", async () => {
    await using started = await startEmail();
    const { email, bench } = started;
    // The mark itself meets it: looking for mail and fetching it do not.
    email.imap.onCommand = (command) => (command.startsWith("UID STORE") ? { kind: "hang" } : null);
    await email.deliver(mailOf(plainHeader("one"), "one"));
    await bench.ledger.acceptedText("one");
    await email.imap.commands.first((command) => command.startsWith("UID STORE"), "a mark");
    email.imap.onCommand = () => null;
    await bench.respawn();
    await within(email.imap.marked.count(1, "a mail marked as seen"), "a mark");
    assert.deepEqual(await seenIn(email), ["one"]);
  });
});

describe("a server without IDLE", { skip: dovecotMissing }, () => {
  it("is asked instead", async () => {
    await using started = await startEmail({
      settings: { pollIntervalSecs: 1 },
      before: async (email) => {
        email.imap.rewrite = (bytes) => Buffer.from(bytes.toString("latin1").replaceAll(" IDLE ", " "), "latin1");
      },
    });
    const { email, bench } = started;
    for (const text of ["one", "two"]) {
      await bench.hear(text);
      await turns(10);
    }
    assert.ok(!email.imap.commands.items.includes("IDLE"));
    assert.deepEqual(email.connections, { live: 1, total: 1 });
  });
});
