// What the device keeps: the roster of each event, and the recordings that are not yet sent.

import { openDB } from "idb";

import { hasExpired } from "./roster.js";

/**
 * @typedef {object} Kept a recording that waits, or of which somebody has to know
 * @property {number} [nr] its place in the queue
 * @property {string} event number
 * @property {{id: number, name: string}} person who recorded
 * @property {Record<string, any>} recording as it is sent
 * @property {string} label whom it is about, for this device
 * @property {"waiting" | "refused" | "malformed"} state
 * @property {{word: string, sentence: string}} [answer] of the server, where it did not take it
 * @property {string} [keptAs] key of the same scan that waits for the office in place of this one
 * @property {import("./roster.js").Settled} [settled] what the office has made of it
 * @property {string} until when a refused one, which the server keeps, leaves this device
 */

const NAME = "einlass";

/** @returns {Promise<import("idb").IDBPDatabase>} */
function open() {
  return openDB(NAME, 1, {
    upgrade(database) {
      database.createObjectStore("rosters");
      database.createObjectStore("queue", { keyPath: "nr", autoIncrement: true });
    },
    blocking: (_current, _blocked, event) => event.target.close(),
  });
}

/** Keeps in the browser; where it is full or does not allow it, in this page only. */
export class Store {
  /** @type {import("idb").IDBPDatabase | null} */
  #database = null;
  /** @type {Map<number, Kept>} */
  #here = new Map();
  #numbers = 0;
  /** Whether the browser keeps nothing: full, or forbidden. */
  volatile = false;

  static async open() {
    const store = new Store();
    try {
      store.#database = await open();
    } catch {
      store.volatile = true;
    }
    return store;
  }

  /**
   * Returns what the browser's store answers; notes if it does not.
   *
   * @template T
   * @param {(database: import("idb").IDBPDatabase) => Promise<T>} work
   * @param {T} otherwise
   */
  async #try(work, otherwise) {
    if (!this.#database) return otherwise;
    try {
      return await work(this.#database);
    } catch {
      this.volatile = true;
      return otherwise;
    }
  }

  /**
   * Deletes the names of events that are over: rosters, and what the server keeps as refused.
   *
   * @param {number} now
   */
  async expire(now) {
    for (const roster of await this.rosters()) {
      if (hasExpired(roster, now)) await this.forgetRoster(roster.event.number);
    }
    for (const kept of await this.all()) {
      if (kept.state === "refused" && now >= Date.parse(kept.until)) await this.drop(kept);
    }
  }

  /**
   * @param {string} number
   * @returns {Promise<import("./roster.js").Roster | null>}
   */
  async roster(number) {
    return (await this.#try((database) => database.get("rosters", number), null)) ?? null;
  }

  /** @returns {Promise<import("./roster.js").Roster[]>} */
  rosters() {
    return this.#try((database) => database.getAll("rosters"), []);
  }

  /** @param {import("./roster.js").Roster} roster */
  keepRoster(roster) {
    return this.#try((database) => database.put("rosters", roster, roster.event.number), undefined);
  }

  /** @param {string} number */
  forgetRoster(number) {
    return this.#try((database) => database.delete("rosters", number), undefined);
  }

  forgetRosters() {
    return this.#try((database) => database.clear("rosters"), undefined);
  }

  /** @param {Kept} kept */
  async add(kept) {
    const nr = await this.#try(async (database) => /** @type {number} */ (await database.add("queue", kept)), 0);
    if (nr) return;
    // Numbers of this page stand behind all that the browser gives.
    this.#numbers += 1;
    const here = Number.MAX_SAFE_INTEGER / 2 + this.#numbers;
    this.#here.set(here, { ...kept, nr: here });
  }

  /** @returns {Promise<Kept[]>} in the order in which they were recorded */
  async all() {
    const stored = await this.#try((database) => database.getAll("queue"), []);
    return [...stored, ...this.#here.values()];
  }

  /** Whether recordings would be lost with this page. */
  get atRisk() {
    return [...this.#here.values()].some((kept) => kept.state === "waiting");
  }

  /** @param {Kept} kept changed, with its number */
  async change(kept) {
    const nr = /** @type {number} */ (kept.nr);
    if (this.#here.has(nr)) this.#here.set(nr, kept);
    else await this.#try((database) => database.put("queue", kept), undefined);
  }

  /** @param {Kept} kept */
  async drop(kept) {
    const nr = /** @type {number} */ (kept.nr);
    if (!this.#here.delete(nr)) await this.#try((database) => database.delete("queue", nr), undefined);
  }
}
