/** Interactions that wait for the bot: a first answer within 3 seconds, more within 15 minutes. */
import { Observed } from "../../conformance/observed.ts";
import { fieldsOf, listOf, type Fields } from "./fields.ts";
import { checkMessage, type Upload } from "./message-rules.ts";
import { notFound, Refusal } from "./refusal.ts";
import type { World } from "./world.ts";
import type { WorldMessage } from "./world-types.ts";

/** What became of one. */
export type Interaction = {
  readonly id: string;
  readonly token: string;
  readonly type: number;
  readonly channelId: string;
  readonly madeAtMs: number;
  /** The first answer's type; 0: none yet. */
  answerType: number;
  isHidden: boolean;
  /** The first answer as a message; `null`: still "thinking", or a component's. */
  originalId: string | null;
  isOriginalDeleted: boolean;
  /** What was offered while a person typed. */
  choices: readonly Fields[];
};

const firstAnswerMs = 3_000;
const lifetimeMs = 15 * 60_000;
const ephemeral = 64;

/** All interactions of the emulator. */
export class InteractionDesk {
  readonly #world: World;
  readonly #byToken = new Map<string, Interaction>();
  /** Each of them as it was when something had become of it. */
  readonly changes = new Observed<Interaction>();

  constructor(world: World) {
    this.#world = world;
  }

  /** Somebody does something: the event that Discord makes of it. */
  create(
    type: number,
    details: {
      readonly data: Fields;
      readonly channelId: string;
      readonly userId: string;
      readonly message?: WorldMessage;
    },
  ): Interaction {
    const id = this.#world.nextId();
    const token = `interaction-token-${id}-planted`;
    const { data, channelId, userId, message } = details;
    const interaction: Interaction = {
      id,
      token,
      type,
      channelId,
      madeAtMs: Date.now(),
      answerType: 0,
      isHidden: false,
      originalId: null,
      isOriginalDeleted: false,
      choices: [],
    };
    this.#byToken.set(token, interaction);
    const channel = this.#world.channel(channelId);
    const user = this.#world.user(userId);
    const who =
      channel.guild_id === undefined
        ? { user }
        : { guild_id: channel.guild_id, member: { user, nick: null, roles: [] } };
    this.#world.dispatch("INTERACTION_CREATE", {
      id,
      type,
      token,
      data,
      version: 1,
      application_id: this.#world.applicationId,
      channel_id: channelId,
      channel,
      ...who,
      ...(message === undefined ? {} : { message }),
    });
    return interaction;
  }

  /** `POST /interactions/{id}/{token}/callback`. @throws {Refusal} */
  callback(id: string, token: string, body: Fields): void {
    const interaction = this.#byToken.get(token);
    if (interaction === undefined || interaction.id !== id) throw notFound("Interaction");
    if (interaction.answerType !== 0) throw new Refusal(400, 40_060, "Interaction has already been acknowledged.");
    if (Date.now() - interaction.madeAtMs > firstAnswerMs) throw notFound("Interaction");
    const type = Number(body["type"]);
    const allowed = interaction.type === 4 ? [8] : interaction.type === 3 ? [4, 5, 6, 7, 9] : [4, 5, 9];
    if (!allowed.includes(type)) throw new Refusal(400, 50_035, "Invalid Form Body");
    const data = fieldsOf(body["data"]);
    interaction.answerType = type;
    interaction.isHidden = (Number(data["flags"] ?? 0) & ephemeral) !== 0;
    if (type === 8) interaction.choices = listOf(data["choices"]);
    if (type === 4) interaction.originalId = this.#post(interaction, data, []).id;
    this.changes.add({ ...interaction });
  }

  /** `POST /webhooks/{application}/{token}`. @throws {Refusal} */
  followUp(token: string, body: Fields, uploads: readonly Upload[]): WorldMessage {
    const interaction = this.#answered(token);
    const isThinking =
      interaction.answerType === 5 && interaction.originalId === null && !interaction.isOriginalDeleted;
    // It then takes the place of "thinking", and is as hidden as that.
    if (isThinking) return this.editOriginal(token, body, uploads);
    return this.#post({ ...interaction, isHidden: (Number(body["flags"] ?? 0) & ephemeral) !== 0 }, body, uploads);
  }

  /** `PATCH /webhooks/{application}/{token}/messages/@original`. @throws {Refusal} */
  editOriginal(token: string, body: Fields, uploads: readonly Upload[]): WorldMessage {
    const interaction = this.#answered(token);
    if (interaction.isOriginalDeleted || interaction.answerType === 6) throw notFound("Message");
    if (interaction.originalId !== null) return this.edit(token, interaction.originalId, body);
    const message = this.#post(interaction, body, uploads);
    interaction.originalId = message.id;
    this.changes.add({ ...interaction });
    return message;
  }

  /** `DELETE …/@original`. @throws {Refusal} */
  deleteOriginal(token: string): void {
    const interaction = this.#answered(token);
    if (interaction.isOriginalDeleted) throw notFound("Message");
    interaction.isOriginalDeleted = true;
    if (interaction.originalId !== null) this.#world.remove(interaction.channelId, interaction.originalId);
    this.changes.add({ ...interaction });
  }

  /** `PATCH …/messages/{id}`. @throws {Refusal} */
  edit(token: string, messageId: string, body: Fields): WorldMessage {
    const { channelId } = this.#answered(token);
    return this.#world.edit(channelId, messageId, body);
  }

  #answered(token: string): Interaction {
    const interaction = this.#byToken.get(token);
    if (interaction === undefined || interaction.answerType === 0) throw notFound("Webhook");
    if (Date.now() - interaction.madeAtMs > lifetimeMs) throw new Refusal(401, 50_027, "Invalid Webhook Token");
    return interaction;
  }

  #post(interaction: Interaction, body: Fields, uploads: readonly Upload[]): WorldMessage {
    checkMessage(body, uploads);
    if (body["enforce_nonce"] !== undefined) throw new Refusal(400, 50_035, "Invalid Form Body");
    const fields = interaction.isHidden ? { ...body, flags: ephemeral } : { ...body, flags: 0 };
    return this.#world.post(interaction.channelId, this.#world.bot, fields, uploads);
  }
}
