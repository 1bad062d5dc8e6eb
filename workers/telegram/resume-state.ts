/** What a Telegram adapter must remember beyond its own life: stored with the messages it belongs to. */
import type { EmittedMessage } from "../../src/contract/message.ts";

/** A part of an album that waits for its other parts: Telegram has been told that we have it. */
export type HeldItem = { readonly albumId: string; readonly message: EmittedMessage };

/**
 * Where to go on.
 * Literal: `{ botId: 7, mode: "polling", offset: 900, atMs: 1700000000000, held: [], hasMenu: true }`
 */
export type ResumeState = {
  /** Updates are numbered per bot: with another token everything here means nothing. */
  readonly botId: number;
  readonly mode: "polling" | "webhook";
  /** The first update that is not on disk; `null`: whatever Telegram still has. */
  readonly offset: number | null;
  /** When the offset was true. */
  readonly atMs: number;
  readonly held: readonly HeldItem[];
  /** The bot's menu of commands is ours. */
  readonly hasMenu: boolean;
};

/** Telegram keeps updates no longer; after a week of silence it begins to number them anew. */
const offsetLifetimeMs = 86_400_000;

/** The state of an earlier life, or a fresh one where there is none for this bot. */
export function resumeStateOf(stored: unknown, botId: number, nowMs: number): ResumeState | null {
  if (typeof stored !== "object" || stored === null) return null;
  const state = stored as Readonly<Record<keyof ResumeState, unknown>>;
  if (state.botId !== botId) return null;
  const { offset, atMs } = state;
  const isKnown = typeof offset === "number" && Number.isSafeInteger(offset) && typeof atMs === "number";
  return {
    botId,
    mode: state.mode === "webhook" ? "webhook" : "polling",
    offset: isKnown ? usableOffset(offset, atMs, nowMs) : null,
    atMs: typeof atMs === "number" ? atMs : 0,
    // Written by ourselves; what is not of its form cannot be delivered.
    held: Array.isArray(state.held) ? (state.held as readonly unknown[]).filter(isHeldItem) : [],
    hasMenu: state.hasMenu === true,
  };
}

/** `null` once nothing can be left of the updates before it: its number may then belong to another time. */
export function usableOffset(offset: number | null, atMs: number, nowMs: number): number | null {
  return offset !== null && Math.abs(nowMs - atMs) < offsetLifetimeMs ? offset : null;
}

function isHeldItem(value: unknown): value is HeldItem {
  if (typeof value !== "object" || value === null) return false;
  const { albumId, message } = value as Readonly<Record<string, unknown>>;
  return typeof albumId === "string" && typeof message === "object" && message !== null;
}
