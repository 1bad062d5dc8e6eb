/** The older form of a target, `platform:target` or `platform:instance:target`, in every reading that a config allows. */
import type { Target } from "./targets.ts";

/** What an adapter could be meant by it: none, exactly one, or several that its writer has to choose from. */
export function readPlatformTarget(text: string, configuredKeys: ReadonlySet<string>): readonly Target[] {
  const colon = text.indexOf(":");
  if (colon <= 0) return [];
  const platform = text.slice(0, colon);
  const rest = withoutPrefix(text.slice(colon + 1), platform);
  const ofPlatform = [...configuredKeys].filter((key) => key === platform || key.startsWith(`${platform}:`));
  const named = ofPlatform.filter((key) => key !== platform && rest.startsWith(`${key.slice(platform.length + 1)}:`));
  const readings = named.map((key) => reading(platform, key, rest.slice(key.length - platform.length)));
  // `dm:` before a user's id is an address of the default adapter, whatever instances are called.
  const mayBeDirectMessage = rest.toLowerCase().startsWith("dm:");
  if (readings.length > 0 && !mayBeDirectMessage) return readings;
  return [...readings, ...ofPlatform.filter((key) => !named.includes(key)).map((key) => reading(platform, key, rest))];
}

/** Some wrote the platform twice. */
function withoutPrefix(rest: string, platform: string): string {
  return rest.startsWith(`${platform}:`) ? withoutPrefix(rest.slice(platform.length + 1), platform) : rest;
}

function reading(platform: string, key: string, address: string): Target {
  return { key, conversation: addressOf(platform, address.trim()) };
}

/** What each platform's addresses were once written like, as they are written now. */
function addressOf(platform: string, address: string): string {
  const isDirect = /^dm:/iu.test(address);
  switch (platform) {
    case "discord":
    case "slack":
      // A guild or workspace came before its channel.
      return isDirect ? `dm:${address.slice(3)}` : address.slice(address.lastIndexOf(":", threadStart(address)) + 1);
    case "twitch":
      return address.replace(/^#/u, "").toLowerCase();
    case "email": {
      const bracket = address.lastIndexOf("<");
      return bracket !== -1 && address.endsWith(">") ? address.slice(bracket + 1, -1).trim() : address;
    }
    default:
      return address;
  }
}

/** A thread's name has a colon of its own. */
function threadStart(address: string): number {
  const start = address.indexOf("#");
  return start === -1 ? address.length : start;
}
