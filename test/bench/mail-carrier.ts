/** A thread that brings one mail to an LMTP server: writing a large one would hold up whoever measures. */
import { workerData } from "node:worker_threads";
import { createTransport } from "nodemailer";

/** What it is given. */
export type Carriage = { readonly port: number; readonly to: string; readonly raw: Uint8Array };

const { port, to, raw } = workerData as Carriage;
const transport = createTransport({ host: "127.0.0.1", port, lmtp: true, ignoreTLS: true });
await transport.sendMail({ envelope: { from: "ann@people.example", to: [to] }, raw: Buffer.from(raw) });
transport.close();
