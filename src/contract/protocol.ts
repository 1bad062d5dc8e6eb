/** What each frame's meta says. The vocabulary of both sides of a thread; the layout of the bytes is in `frame.ts`. */
import type { Policy, SendRates } from "./adapter.ts";
import type { CommandDeclaration } from "./command.ts";
import type { RouterStamp } from "./delivery.ts";
import type { ErrorReport } from "./errors.ts";
import type { RoutingHeader } from "./message.ts";

/** Rises with every change that an old host could not understand. */
export const protocolVersion = 1;

/** Frames and credit on the data plane: how much may be on its way, unaccepted, per generation. */
export const creditWindow = { messages: 1024, bytes: 8_388_608 } as const;
/** Most messages in one data frame. */
export const frameMessageLimit = 256;

/** `open`: run one generation in a thread of its own. */
export type OpenMeta = {
  readonly key: string;
  /** Which thread entry: an adapter's shim or a consumer's. */
  readonly entry: "adapter" | "consumer";
  /** The user's or platform's module, a file URL. */
  readonly moduleUrl: string;
  /** V8's limit for the thread: twice `memory_limit_mb`. */
  readonly heapLimitMb: number;
  /** Passed through to the entry: {@link AdapterInit} or {@link ConsumerInit}. */
  readonly init: AdapterInit | ConsumerInit;
};

/** What the adapter's shim is told. `settings` holds secrets: it travels by message only. */
export type AdapterInit = {
  readonly key: string;
  readonly platform: string;
  readonly generation: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly policy: Policy;
};

/** What a consumer's shim is told. */
export type ConsumerInit = {
  readonly name: string;
  readonly generation: number;
  readonly timeoutMs: number;
};

/** The control plane's whole vocabulary: what a shim answers to. */
export const controlMethods = [
  "start",
  "stop",
  "send",
  "completeSend",
  "setStatus",
  "history",
  "attachment",
  "updatePolicy",
  "probe",
] as const;
/** One of {@link controlMethods}. */
export type ControlMethod = (typeof controlMethods)[number];

/** What a host does to a thread without asking it. */
export const inspectionMethods = ["heapSnapshot", "cpuProfile"] as const;
/** One of {@link inspectionMethods}. */
export type InspectionMethod = (typeof inspectionMethods)[number];
/** The file to write, absolute and not there yet; `seconds`: how long a profile takes. */
export type InspectionArgs = { readonly path: string; readonly seconds: number };
/** What a generation can be called for: by its shim, or by its host. */
export type HostMethod = ControlMethod | InspectionMethod;

/** Whether the host itself answers. */
export function isInspection(method: HostMethod): method is InspectionMethod {
  return (inspectionMethods as readonly string[]).includes(method);
}

/** `call`: one call of a generation. `args` is one plain object. */
export type CallMeta = {
  readonly id: number;
  readonly method: HostMethod;
  readonly args: unknown;
  readonly deadlineMs: number;
};

/** What a call, a request or a frame came to. Errors are records, never thrown across. */
export type Outcome =
  | { readonly ok: true; readonly value: unknown }
  | { readonly ok: false; readonly error: ErrorReport };

/** `result`: a call's outcome. */
export type ResultMeta = { readonly id: number; readonly outcome: Outcome };

/** What a started adapter tells of its module; the value of `start`'s outcome. */
export type StartedValue = {
  readonly maxSilenceMs: number;
  readonly pull: boolean;
  readonly overlap: boolean;
  readonly canUpdatePolicy: boolean;
  readonly canProbe: boolean;
  readonly canCompleteSend: boolean;
  readonly sendRates: SendRates;
  readonly capabilities: Readonly<Record<string, string>>;
};

/** `data` of an adapter: headers; the body is their payloads one after the other. `resume` is stored in the same transaction. */
export type DataMeta = {
  readonly frame: number;
  readonly headers: readonly RoutingHeader[];
  readonly resume?: unknown;
};

/** `accepted`: all of a data frame's messages are on disk or known, or none is. The credit comes back with it. */
export type AcceptedMeta = { readonly frame: number; readonly error?: ErrorReport };

/** What a thread may ask. */
export const requestMethods = [
  "resume.load",
  "resume.store",
  "budget.acquire",
  "token.lock",
  "token.store",
  "token.unlock",
  "mailbox.read",
  "mailbox.ack",
  "attachment",
  "consumer.reply",
  "consumer.setStatus",
  "consumer.history",
  "consumer.send",
  "consumer.extend",
] as const;
/** One of {@link requestMethods}. */
export type RequestMethod = (typeof requestMethods)[number];

/** `request`: `id` 0 wants no answer. */
export type RequestMeta = { readonly id: number; readonly method: RequestMethod; readonly args: unknown };
/** `answer`: a request's outcome. A `mailbox.read` is answered when mail is there, everything else in order. */
export type AnswerMeta = { readonly id: number; readonly outcome: Outcome };

/** `event`: what a thread reports without waiting for an answer. `loaded`: its module is there, `start` may be called. */
export type EventMeta =
  | { readonly event: "loaded" }
  | { readonly event: "frame" }
  | { readonly event: "reconnecting"; readonly reason: string }
  | { readonly event: "connected" }
  | { readonly event: "missed"; readonly messages: number; readonly gapSeconds: number }
  | { readonly event: "closed"; readonly error: ErrorReport | null }
  /** Of a consumer, before `loaded`: what its module declares, `[]` for nothing. */
  | { readonly event: "commands"; readonly commands: readonly CommandDeclaration[] }
  | { readonly event: "log"; readonly records: readonly LogRecord[]; readonly dropped: number };

/** One record of an adapter's or handler's log, or one line of its standard output. */
export type LogRecord = {
  readonly level: "debug" | "info" | "warn" | "error";
  readonly name: string;
  readonly fields: Readonly<Record<string, unknown>>;
};

/** `exited`: the thread of a generation is gone, and what its Piscina task came to. */
export type ExitedMeta = {
  readonly cause: "ended" | "crashed" | "exited" | "heap_exhausted" | "module_failed" | "terminated" | "open_failed";
  readonly exitCode: number | null;
  readonly error: ErrorReport | null;
};

/** What a host measured of one thread. A `null` stands for a question the thread's native code left unanswered. */
export type ThreadSample = {
  readonly generation: number;
  readonly threadId: number;
  /** Since the last sample, 0 to 1. */
  readonly utilization: number;
  /** Age of the thread's own heartbeat. */
  readonly heartbeatAgeMs: number;
  readonly delayP99Ms: number;
  readonly cpu: { readonly userMicroseconds: number; readonly systemMicroseconds: number } | null;
  readonly memory: {
    readonly heapBytes: number;
    readonly externalBytes: number;
    readonly arrayBufferBytes: number;
  } | null;
};

/** `sample`: sent every 250 ms; also the host's heartbeat. */
export type SampleMeta = {
  readonly rssBytes: number;
  /** How late this sample was: the host's own stall. */
  readonly stallMs: number;
  readonly threads: readonly ThreadSample[];
};

/** `hello`: a host is up. */
export type HelloMeta = {
  readonly protocolVersion: number;
  readonly pid: number;
  /** `--max-old-space-size` in a host overrides every thread's own limit: it refuses to work then. */
  readonly heapLimitOverridden: boolean;
};

/** `deliver`: messages for a consumer's handlers; the body is their payloads one after the other. */
export type DeliverMeta = {
  readonly deliveries: readonly (RouterStamp & {
    readonly receipt: string;
    readonly attempt: number;
    readonly redelivered: boolean;
    readonly bytes: number;
  })[];
  /** Receipts whose handlers must be aborted: they are over their time. */
  readonly abort: readonly string[];
};

/** `data` of a consumer: what became of its deliveries. The bytes of `reply` follow in the body as a JSON Response. */
export type SettleMeta = {
  readonly settlements: readonly {
    readonly receipt: string;
    readonly outcome:
      | { readonly kind: "ack" }
      | { readonly kind: "nack"; readonly delayMs: number | null; readonly error: ErrorReport }
      | { readonly kind: "reject"; readonly reason: string };
    /** Length of the reply's JSON in the body; 0: none. */
    readonly replyBytes: number;
    /** The reply's number among this message's replies, from 0: makes its idempotency key. */
    readonly replyIndex: number;
  }[];
};
