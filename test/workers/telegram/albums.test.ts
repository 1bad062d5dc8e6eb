import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { Albums, mergeAlbum } from "../../../workers/telegram/albums.ts";
import type { Heard } from "../../../workers/telegram/translate-message.ts";
import { heard, message, update } from "./telegram-messages.ts";

function part(id: number, albumId: string | null, chatId = -5, caption = ""): Heard {
  const photo = [{ file_id: `F${id}`, file_unique_id: `u${id}`, width: 1, height: 1 }];
  const fields = { message_id: id, chat: { id: chatId, type: "supergroup" }, text: undefined, photo, caption };
  return heard(update("message", message({ ...fields, ...(albumId === null ? {} : { media_group_id: albumId }) })));
}

describe("Albums", () => {
  it("holds an album's parts until its time is over, and gives one message with all files", () => {
    const albums = new Albums([], 0);
    assert.deepEqual(albums.take([part(1, "a", -5, "look"), part(2, "a")], 0).messages, []);
    assert.deepEqual(albums.takeOlder(-1).messages, []);
    const { messages } = albums.takeOlder(0);
    assert.equal(messages.length, 1);
    assert.equal(messages[0]?.text, "look");
    assert.deepEqual(
      messages[0]?.attachments?.map(({ ref }) => ref),
      ["F1", "F2"],
    );
  });

  it("lets an album go before anything later of its conversation, and past one of another", () => {
    const albums = new Albums([], 0);
    const ids = albums.take([part(1, "a"), part(2, null, -6), part(3, null)], 0).messages.map(({ id }) => id);
    assert.deepEqual(ids, ["2", "1", "3"]);
  });

  it("lets a full album go at once", () => {
    const parts = Array.from({ length: 10 }, (_, index) => part(index + 1, "a"));
    assert.equal(new Albums([], 0).take(parts, 0).messages[0]?.attachments?.length, 10);
  });

  it("takes a part that comes again for the same", () => {
    const albums = new Albums([], 0);
    albums.take([part(1, "a"), part(1, "a"), part(2, "a")], 0);
    assert.equal(albums.takeOlder(0).messages[0]?.attachments?.length, 2);
  });

  it("keeps what is leaving until it has arrived, and gives it again where it has not", () => {
    const albums = new Albums([], 0);
    albums.take([part(1, "a")], 0);
    const { albums: leaving } = albums.takeOlder(0);
    assert.equal(albums.held().length, 1);
    assert.deepEqual(albums.takeOlder(0).messages, []);
    albums.stayed(leaving);
    const again = albums.takeOlder(0);
    assert.equal(again.messages.length, 1);
    albums.arrived(again.albums);
    assert.equal(albums.isEmpty, true);
  });

  it("does not lose a part that comes while the rest is leaving", () => {
    const albums = new Albums([], 0);
    albums.take([part(1, "a")], 0);
    const first = albums.takeOlder(0);
    albums.take([part(2, "a")], 0);
    albums.arrived(first.albums);
    assert.deepEqual(
      albums.takeOlder(0).messages.map(({ id }) => id),
      ["2"],
    );
  });

  it("goes on with what an earlier life held", () => {
    const before = new Albums([], 0);
    before.take([part(1, "a")], 0);
    const albums = new Albums(before.held(), 0);
    albums.take([part(2, "a")], 0);
    assert.equal(albums.takeOlder(0).messages[0]?.attachments?.length, 2);
  });

  it("never holds more than a resume state takes", () => {
    const albums = new Albums([], 0);
    for (let id = 1; id < 300; id += 1) albums.arrived(albums.take([part(id, `a${id}`, -id)], 0).albums);
    assert.ok(albums.held().length > 5);
    assert.ok(JSON.stringify(albums.held()).length < 60_000);
  });

  it("stores nothing of what arrives together with its offset", () => {
    const albums = new Albums([], 0);
    const parts = Array.from({ length: 100 }, (_, index) =>
      part(index + 1, `a${Math.floor(index / 10)}`, -1 - (index % 10)),
    );
    const departure = albums.take(
      parts.toSorted((one, other) => Number(one.albumId?.slice(1)) - Number(other.albumId?.slice(1))),
      0,
    );
    assert.ok(JSON.stringify(albums.held(departure.albums)).length < 60_000);
  });

  it("loses nothing and doubles nothing, however the parts come", () => {
    const step = fc.record({ album: fc.constantFrom("a", "b", null), chat: fc.constantFrom(-1, -2) });
    fc.assert(
      fc.property(fc.array(step, { maxLength: 40 }), (steps) => {
        const albums = new Albums([], 0);
        const seen: string[] = [];
        for (const [index, { album, chat }] of steps.entries()) {
          const departure = albums.take([part(index + 1, album === null ? null : `${album}${chat}`, chat)], index);
          for (const each of departure.messages) seen.push(...(each.attachments ?? []).map(({ ref }) => ref ?? ""));
          albums.arrived(departure.albums);
        }
        for (const each of albums.takeOlder(1_000).messages)
          seen.push(...(each.attachments ?? []).map(({ ref }) => ref ?? ""));
        assert.deepEqual(seen.toSorted(), steps.map((_, index) => `F${index + 1}`).toSorted());
      }),
    );
  });
});

describe("mergeAlbum()", () => {
  it("is another message when it is put together otherwise, so that no part passes for a duplicate", () => {
    const [one, two, three] = [part(1, "a").message, part(2, "a").message, part(3, "a").message];
    const revisions = [mergeAlbum([one, two]), mergeAlbum([one, two, three]), mergeAlbum([one])].map(
      ({ revision }) => revision,
    );
    assert.equal(new Set(revisions).size, 3);
  });
});
