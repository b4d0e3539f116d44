// Sends what waits on the device, any number of times: the server knows each recording by its key.

/** @typedef {import("./store.js").Kept} Kept */
/** @typedef {import("./roster.js").Roster} Roster */
/**
 * @typedef {object} Result
 * @property {string} key
 * @property {string} outcome
 * @property {string} word
 * @property {string} sentence
 * @property {number} [registration]
 * @property {string} [name]
 * @property {string} [organisation]
 * @property {string | number} [session]
 * @property {string} [by]
 * @property {string} [at]
 * @property {import("./roster.js").Entry} [entry]
 * @property {string} [kept_as]
 */
/**
 * What keeps the queue from being sent; `url` is a way on.
 *
 * @typedef {{kind: "offline" | "login" | "refused" | "other_person", sentence?: string, url?: string}} Obstacle
 */

const AT_ONCE = 500;
const LONGEST_BYTES = 900_000;
const EVERY = 20_000;
const SELDOM = 300_000;
/** Others record at the same time: who is still missing is asked for again after a minute. */
const REFRESHED_AFTER = 60_000;
const PATIENCE = 15_000;
/** What the server has taken, so that the device need not keep it. */
const TAKEN = new Set(["recorded", "already_recorded", "undone", "walk_in_recorded"]);

/** The server answers, but not with what was asked for. */
class NotTaken extends Error {
  /** @param {Obstacle} obstacle */
  constructor(obstacle) {
    super(obstacle.kind);
    this.obstacle = obstacle;
  }
}

/**
 * @param {string} number of the event
 * @returns {Promise<Roster>}
 * @throws {NotTaken} nobody is logged in, or this event is foreign
 */
export async function fetchRoster(number) {
  const sent = Date.now();
  const answer = await fetch(`/einlass/${number}/roster.json`, {
    headers: { Accept: "application/json" }, cache: "no-store", signal: AbortSignal.timeout(PATIENCE),
  });
  const roster = /** @type {Roster} */ (await understood(answer, number));
  roster.ahead = Date.parse(roster.now) - (sent + Date.now()) / 2;
  return roster;
}

/**
 * @param {Response} answer
 * @param {string} number
 */
async function understood(answer, number) {
  const said = answer.headers.get("Content-Type")?.includes("json") ? await answer.json() : {};
  if (answer.status === 401 || answer.redirected) {
    throw new NotTaken({ kind: "login", url: `/konto/anmelden?weiter=${encodeURIComponent(`/einlass/${number}/scanner`)}` });
  }
  if (answer.status === 403 || answer.status === 404) throw new NotTaken({ kind: "refused", sentence: said.error });
  if (!answer.ok) throw Object.assign(new Error(said.error ?? ""), { status: answer.status, code: said.code });
  return said;
}

export class Sync {
  #store;
  #number;
  #told;
  #csrf = "";
  #personId = 0;
  /** @type {Promise<void> | null} */
  #running = null;
  #again = false;
  #pause = EVERY;
  #due = 0;
  /** Tickets of what was scanned just now: sent along, never stored. */
  #tickets = new Map();
  #fetchedAt = 0;
  #isStale = false;
  /** @type {Obstacle | null} */
  obstacle = null;

  /**
   * @param {import("./store.js").Store} store
   * @param {string} number of the event whose page this is
   * @param {{changed: () => void, roster: (roster: Roster) => Promise<void>, settled: (kept: Kept, result: Result) => Promise<boolean>}} told
   *   `settled` returns whether the person reads the answer right now
   */
  constructor(store, number, told) {
    this.#store = store;
    this.#number = number;
    this.#told = told;
    addEventListener("online", () => this.soon());
    document.addEventListener("visibilitychange", () => { if (!document.hidden) this.soon(); });
    setInterval(() => { if (Date.now() >= this.#due) this.send(); }, 1000);
  }

  /** @param {Roster} roster */
  speakFor(roster) {
    this.#csrf = roster.csrf;
    this.#personId = roster.person.id;
  }

  /** Tries now, although it did not work a moment ago. */
  soon() {
    this.#pause = EVERY;
    return this.send();
  }

  /**
   * Sends what waits; a ticket that was read just now goes along with its recording.
   *
   * @param {string} key
   * @param {string} ticket
   */
  sendLive(key, ticket) {
    this.#tickets.set(key, ticket);
    return this.send();
  }

  /** Sends all that waits; never two at a time. */
  send() {
    if (this.#running) {
      this.#again = true;
      return this.#running;
    }
    this.#running = this.#sendAll().finally(() => {
      this.#running = null;
      if (this.#again) {
        this.#again = false;
        this.send();
      }
    });
    return this.#running;
  }

  async #sendAll() {
    try {
      if (!document.hidden && Date.now() - this.#fetchedAt > REFRESHED_AFTER) this.#isStale = true;
      await this.refresh(false);
      const done = new Set();
      for (;;) {
        const batch = await this.#nextBatch(done);
        if (batch.length === 0) break;
        await this.#sendBatch(batch);
        // Where the browser stores nothing any more, what is sent still stands in the queue.
        for (const { recording } of batch) done.add(recording.key);
      }
      this.#pause = EVERY;
    } catch (error) {
      this.#again = false;
      this.obstacle = error instanceof NotTaken ? error.obstacle : { kind: "offline", sentence: error.status ? error.message : "" };
      this.#pause = Math.min(this.#pause * 2, SELDOM);
    }
    this.#due = Date.now() + this.#pause;
    this.#told.changed();
  }

  /**
   * Fetches the roster where it is needed: who is logged in here decides whose recordings are sent.
   *
   * @param {boolean} anyway since the token is stale
   */
  async refresh(anyway) {
    if (this.#csrf && !anyway && !this.#isStale && !this.obstacle) return;
    let roster;
    try {
      roster = await fetchRoster(this.#number);
    } catch (error) {
      // Who may no longer see the names may still deliver: the server keeps it for the office.
      if (!(error instanceof NotTaken) || error.obstacle.kind !== "refused" || !this.#csrf || anyway) throw error;
      this.obstacle = error.obstacle;
      return;
    }
    this.speakFor(roster);
    this.#fetchedAt = Date.now();
    this.#isStale = false;
    this.obstacle = null;
    await this.#told.roster(roster);
  }

  /**
   * @param {Set<string>} done keys
   * @returns {Promise<Kept[]>} the longest waiting, of one event and of whoever is logged in
   */
  async #nextBatch(done) {
    const waiting = (await this.#store.all()).filter((kept) => kept.state === "waiting" && !done.has(kept.recording.key));
    const own = waiting.filter((kept) => kept.person.id === this.#personId);
    const first = own.find((kept) => kept.event === this.#number) ?? own[0];
    const batch = [];
    let bytes = 0;
    for (const kept of own) {
      if (kept.event !== first.event) continue;
      bytes += JSON.stringify(kept.recording).length * 2;
      if (batch.length === AT_ONCE || bytes > LONGEST_BYTES) break;
      batch.push(kept);
    }
    return batch;
  }

  /** @param {Kept[]} batch */
  async #sendBatch(batch) {
    let results;
    try {
      results = await this.#post(batch);
    } catch (error) {
      if (error.status === 400 && error.code === "csrf") {
        await this.refresh(true);
        if (batch[0].person.id !== this.#personId) return;
        results = await this.#post(batch);
      } else if (error.status === 400 || error.status === 413) {
        // One of them cannot be read: find it, so that it does not keep the others back.
        if (batch.length === 1) {
          results = [{ key: batch[0].recording.key, outcome: "malformed", word: "Nicht lesbar", sentence: error.message }];
        } else {
          const middle = Math.ceil(batch.length / 2);
          await this.#sendBatch(batch.slice(0, middle));
          return this.#sendBatch(batch.slice(middle));
        }
      } else {
        throw error;
      }
    }
    const byKey = new Map(results.map((result) => [result.key, result]));
    for (const kept of batch) {
      const result = byKey.get(kept.recording.key);
      if (!result) throw new Error("");
      await this.#settle(kept, result);
    }
  }

  /**
   * @param {Kept[]} batch
   * @returns {Promise<Result[]>}
   */
  async #post(batch) {
    const number = batch[0].event;
    const recordings = batch.map(({ recording }) => {
      const ticket = this.#tickets.get(recording.key);
      return ticket ? { ...recording, ticket } : recording;
    });
    const answer = await fetch(`/einlass/${number}/abgleich`, {
      method: "POST",
      headers: { "Content-Type": "application/json", Accept: "application/json", "X-CSRFToken": this.#csrf },
      body: JSON.stringify({ sent_at: new Date().toISOString(), recordings }),
      signal: AbortSignal.timeout(PATIENCE),
    });
    const said = await understood(answer, number);
    if (!Array.isArray(said.results)) throw new Error("");
    return said.results;
  }

  /**
   * @param {Kept} kept
   * @param {Result} result
   */
  async #settle(kept, result) {
    const seen = await this.#told.settled(kept, result);
    if (TAKEN.has(result.outcome) || (seen && result.outcome !== "malformed")) {
      await this.#store.drop(kept);
    } else {
      const state = result.outcome === "malformed" ? "malformed" : "refused";
      const answer = { word: result.word, sentence: result.sentence };
      await this.#store.change({ ...kept, state, answer, keptAs: result.kept_as });
    }
    this.#tickets.delete(kept.recording.key);
  }
}
