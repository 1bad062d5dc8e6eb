/** `kill -9` of the coordinator in the midst of a commit: on disk or not, nobody was told yet. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { freePort, GatewayHome, WebhookClient, type RunningGateway } from "../support/gateway-fixture.ts";
import { heldCommitEnvironment, heldEvent, holdCommit, type HeldCommit } from "../support/held-commits.ts";
import { handledIn, notingHandler, type Handled } from "../support/numbered-run.ts";

const names = ["0", "1", "2", "3", "4"];

/** A gateway whose commits can be held, and its one webhook. */
class Place {
  readonly home = new GatewayHome();
  readonly client: WebhookClient;

  private constructor(port: number) {
    this.client = new WebhookClient(port);
    this.home.writeFile("handler.mjs", notingHandler);
    this.home.writeConfig(
      `[[consumers]]\nname = "main"\nmodule = "./handler.mjs"\n[messaging.webhook]\nport = ${port}\n`,
    );
    holdCommit(this.home, null);
  }

  static async make(): Promise<Place> {
    return new Place(await freePort());
  }

  async start(): Promise<RunningGateway> {
    const gateway = await this.home.start({ environment: heldCommitEnvironment(this.home) });
    await gateway.reached("webhook", "running");
    return gateway;
  }

  /** Posts a message of a conversation of its own; the status, or `null` where the answer never came. */
  async post(text: string): Promise<number | null> {
    const posted = this.client.post({ conversation_id: text, content: text, message_id: text });
    return posted.then(
      ({ status }) => status,
      () => null,
    );
  }

  /** The next such commit stands still while `act` is under way; then everything ends at once. Resolves with what `act` came to. */
  async killIn<Value>(gateway: RunningGateway, held: HeldCommit, act: () => Promise<Value>): Promise<Value> {
    const isHeld = gateway.nextLogged(({ event }) => event === heldEvent);
    holdCommit(this.home, held);
    const acting = act();
    await isHeld;
    gateway.signal("SIGKILL");
    await gateway.ended;
    holdCommit(this.home, null);
    return acting;
  }

  /** All answers in the conversation of `text`, up to the one to a last message. */
  async answersTo(text: string): Promise<readonly string[]> {
    await this.client.post({ conversation_id: text, content: "last" });
    const answers: string[] = [];
    for (let cursor = 0; answers.at(-1) !== "did last";) {
      const page = await this.client.poll(text, cursor);
      answers.push(...page.texts);
      ({ cursor } = page);
    }
    return answers.slice(0, -1);
  }

  handled(text: string): readonly Handled[] {
    return handledIn(this.home.dir).filter((call) => call.text === text);
  }
}

describe("kill -9 in a commit", () => {
  for (const moment of ["before", "after"] as const)
    it(`of messages, ${moment} it is on disk: what was answered is there, and the rest is taken once when it comes again`, async () => {
      const place = await Place.make();
      const [kept, cut] = [names.map((name) => `kept ${name}`), names.map((name) => `cut ${name}`)];
      {
        await using gateway = await place.start();
        assert.deepEqual(await Promise.all(kept.map((text) => place.post(text))), [202, 202, 202, 202, 202]);
        const answers = await place.killIn(gateway, { of: "accepts", moment }, () =>
          Promise.all(cut.map((text) => place.post(text))),
        );
        assert.deepEqual(answers, [null, null, null, null, null], "202 before the commit was over");
      }
      await using _gateway = await place.start();
      assert.deepEqual(await Promise.all(cut.map((text) => place.post(text))), [202, 202, 202, 202, 202]);
      for (const text of [...kept, ...cut]) assert.deepEqual(await place.answersTo(text), [`did ${text}`]);
      for (const text of cut) assert.equal(place.handled(text).length, 1, text);
    });

  for (const moment of ["before", "after"] as const)
    it(`of a handler's reply and ack, ${moment} it is on disk: both are there or neither, and the reply comes once`, async () => {
      const place = await Place.make();
      {
        await using gateway = await place.start();
        const status = await place.killIn(gateway, { of: "outcomes", moment }, () => place.post("late"));
        assert.equal(status, 202);
      }
      await using _gateway = await place.start();
      assert.deepEqual(await place.answersTo("late"), ["did late"]);
      const calls = place.handled("late").map(({ attempt, redelivered }) => [attempt, redelivered]);
      const again = [1, true];
      assert.deepEqual(calls, moment === "before" ? [[1, false], again] : [[1, false]]);
    });
});
