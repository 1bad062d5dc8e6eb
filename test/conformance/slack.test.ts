/** Slack, in both of its modes, against an emulated workspace. */
import { describe } from "node:test";
import { SlackPlatform } from "../emulators/slack/platform.ts";
import { conformance } from "./conformance.ts";

describe("slack (socket mode)", () => conformance(() => SlackPlatform.start("socket")));
describe("slack (HTTP mode)", () => conformance(() => SlackPlatform.start("http")));
