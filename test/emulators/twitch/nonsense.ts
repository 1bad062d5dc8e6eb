/** Frames that no honest chat server sends. */
import { mainChannel } from "./chat-world.ts";

/** In the order to be sent; the last ones end a connection. */
export function nonsenseFrames(): readonly (string | Buffer)[] {
  const room = `#${mainChannel}`;
  const lines = [
    // Each of these ends a thread that has the library alone in it.
    `:x!x@x PRIVMSG ${room}`,
    `:tmi.twitch.tv NOTICE ${room}`,
    `:tmi.twitch.tv HOSTTARGET ${room}`,
    ":x!x@x 353 shipbot",
    "",
    " ",
    ":",
    "@",
    "@a",
    "@a=b",
    "@a=b :x",
    "PRIVMSG",
    "privmsg #bridge :small letters",
    ":x!x@x PRIVMSG",
    `:x!x@x PRIVMSG ${room} :`,
    `:x!x@x PRIVMSG nowhere :hello`,
    `@id=;user-id=;display-name= :!@ PRIVMSG ${room} :nobody`,
    `@__proto__=x;constructor=y;tmi-sent-ts=soon :tmi.twitch.tv CLEARMSG ${room} :gone`,
    ":tmi.twitch.tv CLEARMSG",
    ":tmi.twitch.tv CLEARCHAT",
    ":tmi.twitch.tv USERSTATE",
    `@badges=;mod=x :tmi.twitch.tv USERSTATE ${room}`,
    ":tmi.twitch.tv ROOMSTATE",
    ":tmi.twitch.tv USERNOTICE",
    `@msg-id=unheard_of :tmi.twitch.tv USERNOTICE ${room} :hello`,
    `@msg-id=msg_unheard_of :tmi.twitch.tv NOTICE ${room} :hello`,
    ":tmi.twitch.tv GLOBALUSERSTATE",
    ":tmi.twitch.tv 001",
    ":tmi.twitch.tv 376",
    ":tmi.twitch.tv 376 shipbot :>",
    ":tmi.twitch.tv CAP",
    ":tmi.twitch.tv SERVERCHANGE",
    ":tmi.twitch.tv UNHEARDOF a b :c",
    ":x!x@x WHISPER shipbot :psst",
    "PING",
    "PONG",
    // What can be read as a message has an id: sent again, it is the same one.
    `@id=nonsense-null :x!x@x PRIVMSG ${room} :null \u0000 byte`,
    `@id=nonsense-tags;${"t".repeat(20_000)}=1 :x!x@x PRIVMSG ${room} :many tags`,
    `@id=nonsense-action :x!x@x PRIVMSG ${room} :\u0001ACTION`,
    `@id=nonsense-empty-action :x!x@x PRIVMSG ${room} :\u0001ACTION \u0001`,
  ];
  return [...lines, lines.join("\r\n"), Buffer.from([0xff, 0xfe, 0x00]), "x".repeat(2_000_000)];
}
