// The door of one event: what is recorded on this device, and what the roster says after it.

import { answerFor, enter, hasExpired, missing, replay, sessionOfToday } from "./roster.js";
import { Sync } from "./sync.js";
import { hashOf } from "./ticket.js";

/** @typedef {import("./store.js").Kept} Kept */
/** @typedef {import("./roster.js").Roster} Roster */
/** @typedef {import("./roster.js").Attendee} Attendee */

/** How long somebody at the door waits for the server before the device answers. */
const PATIENCE = 400;

export class Door {
  #store;
  #told;
  /** @type {Roster | null} as the server sent it, with what it has confirmed since */
  #confirmed = null;
  /** @type {number | null} */
  #chosen = null;
  /** @type {Kept[]} the last step, which can be taken back */
  #last = [];
  #shown = "";
  /** @type {Map<string, (result: import("./sync.js").Result) => void>} */
  #asked = new Map();
  /** @type {Roster | null} with what waits to be sent */
  roster = null;
  /** @type {Kept[]} */
  kept = [];

  /**
   * @param {import("./store.js").Store} store
   * @param {string} number
   * @param {{changed: () => void, answered: (answer: import("./sync.js").Result, offline: boolean) => void}} told
   */
  constructor(store, number, told) {
    this.#store = store;
    this.number = number;
    this.#told = told;
    this.sync = new Sync(store, number, {
      changed: () => this.#passed(),
      roster: (roster) => this.#take(roster),
      settled: (kept, result) => this.#settle(kept, result),
    });
  }

  /** Begins with what the device knows, then asks the server. */
  async begin() {
    await this.#store.expire(Date.now());
    this.#confirmed = await this.#store.roster(this.number);
    if (this.#confirmed) this.sync.speakFor(this.#confirmed);
    await this.#rebuild();
    await this.sync.send();
  }

  /** The session that is recorded: chosen, else by the clock. */
  get session() {
    const sessions = this.roster?.sessions ?? [];
    return sessions.find((session) => session.id === this.#chosen) ?? sessionOfToday(sessions, this.#now());
  }

  /** @param {number} id */
  choose(id) {
    this.#chosen = id;
    this.#told.changed();
  }

  get missing() {
    return this.roster ? missing(this.roster, this.session) : [];
  }

  get canUndo() {
    return this.#last.length > 0;
  }

  get lastLabel() {
    return this.#last.length > 1 ? people(this.#last.length) : this.#last[0]?.label ?? "";
  }

  #now() {
    return Date.now() + (this.roster?.ahead ?? 0);
  }

  /** @param {string} ticket */
  async seen(ticket) {
    const { roster, session } = this;
    if (!roster || !session) return this.#told.answered(local(roster ? "other_day" : "not_ready"), true);
    const hash = await hashOf(roster.salt, ticket);
    const { outcome, attendee } = answerFor(roster, hash, session);
    const kept = await this.#record({ kind: "seen", hash, session: session.id }, attendee?.name ?? "Eintrittskarte");
    this.#last = outcome === "recorded" ? [kept] : this.#last;
    await this.#answer(kept, local(outcome, attendee, session), () => this.sync.sendLive(kept.recording.key, ticket));
  }

  /**
   * @param {Attendee} attendee
   * @param {string} mark
   */
  async set(attendee, mark) {
    const { session } = this;
    if (!session) return this.#told.answered(local("other_day"), true);
    const recording = { kind: "set", registration: attendee.id, session: session.id, mark, late: 0, early: 0 };
    const kept = await this.#record(recording, attendee.name);
    this.#last = [kept];
    await this.#answer(kept, local(mark === "present" ? "recorded" : `set_${mark}`, attendee, session), () => this.sync.send());
  }

  /** Records as present all of whom nothing is recorded. */
  async fill() {
    const { session, roster } = this;
    if (!session || !roster) return;
    const open = roster.people.filter((attendee) => !attendee.entries[session.id]);
    const steps = [];
    // One instant for all: so the server takes them for one step.
    const at = new Date().toISOString();
    for (const attendee of open) {
      steps.push(await this.#record({ kind: "fill", registration: attendee.id, session: session.id, at }, attendee.name, false));
    }
    this.#last = steps;
    await this.#rebuild();
    this.#told.answered({ ...local("filled", null, session), name: people(open.length) }, false);
    this.sync.send();
  }

  /**
   * @param {string} name
   * @param {string} organisation
   */
  async walkIn(name, organisation) {
    const { session, roster } = this;
    if (!session || !roster) return this.#told.answered(local(roster ? "other_day" : "not_ready"), true);
    const kept = await this.#record({ kind: "walk_in", name, organisation, session: session.id }, name);
    this.#last = [kept];
    await this.#answer(kept, { ...local("walk_in_recorded", null, session), name }, () => this.sync.send());
  }

  /** Takes the last step back. */
  async undo() {
    const steps = this.#last;
    this.#last = [];
    let undone = null;
    for (const step of steps) {
      const { key, registration, hash, session } = step.recording;
      const whom = registration ? { registration } : hash ? { hash } : {};
      undone = await this.#record({ kind: "undo", ...whom, session, undoes: key }, step.label, false);
    }
    await this.#rebuild();
    if (undone) {
      const label = steps.length > 1 ? people(steps.length) : steps[0].label;
      await this.#answer(undone, { ...local("undone"), name: label }, () => this.sync.send());
    }
  }

  /** @param {Kept} kept that was read */
  async dismiss(kept) {
    await this.#store.drop(kept);
    await this.#rebuild();
  }

  /** Forgets the names when the event has been over for a day, also on a page that stays open. */
  async expire() {
    await this.#store.expire(Date.now());
    if (this.#confirmed && hasExpired(this.#confirmed, Date.now())) await this.leave();
  }

  /** Forgets the names: nobody is logged in here any more. */
  async leave() {
    this.#confirmed = null;
    await this.#rebuild();
  }

  /**
   * @param {Record<string, any>} recording
   * @param {string} label
   */
  async #record(recording, label, redraw = true) {
    const roster = /** @type {Roster} */ (this.roster);
    /** @type {Kept} */
    const kept = {
      event: this.number, person: roster.person, label, state: "waiting", until: roster.expires_at,
      recording: { key: crypto.randomUUID(), at: new Date().toISOString(), ...recording },
    };
    await this.#store.add(kept);
    if (redraw) await this.#rebuild();
    return kept;
  }

  /**
   * Answers with what the server says if it says so quickly, else with what the device knows.
   *
   * @param {Kept} kept
   * @param {import("./sync.js").Result} known
   * @param {() => void} send
   */
  async #answer(kept, known, send) {
    const { key } = kept.recording;
    this.#shown = key;
    const said = new Promise((resolve) => { this.#asked.set(key, resolve); });
    send();
    const hopeless = !navigator.onLine || this.sync.obstacle !== null;
    const result = hopeless ? null : await Promise.race([said, delay(PATIENCE)]);
    this.#asked.delete(key);
    if (!result && this.#shown === key) this.#told.answered(known, true);
  }

  /** @param {Roster} roster */
  async #take(roster) {
    this.#confirmed = roster;
    await this.#learn(roster.settled);
    if (roster.offline && !hasExpired(roster, Date.now())) await this.#store.keepRoster(roster);
    else await this.#store.forgetRoster(this.number);
    await this.#rebuild();
  }

  /**
   * Notes what the office has made of recordings that were refused.
   *
   * @param {Roster["settled"]} settled
   */
  async #learn(settled) {
    const byKey = new Map(settled.map(({ key, ...how }) => [key, how]));
    for (const kept of await this.#store.all()) {
      const how = byKey.get(kept.keptAs ?? kept.recording.key);
      if (how && kept.state === "refused") await this.#store.change({ ...kept, settled: how });
    }
  }

  /**
   * @param {Kept} kept
   * @param {import("./sync.js").Result} result
   */
  async #settle(kept, result) {
    const { key, session } = kept.recording;
    if (this.#confirmed && kept.event === this.number) {
      const attendee = this.#confirmed.people.find((known) => known.id === result.registration);
      if (attendee && result.entry) enter(attendee, session, result.entry);
      else replay(this.#confirmed, [kept]);
      if (this.#confirmed.offline) await this.#store.keepRoster(this.#confirmed);
    }
    this.#last.forEach((step) => { if (step.recording.key === key && result.registration) step.recording.registration ??= result.registration; });
    const seen = this.#shown === key && !document.hidden;
    if (seen) this.#told.answered({ ...local(result.outcome), ...result, session: this.#sessionName(session) }, false);
    this.#asked.get(key)?.(result);
    return seen;
  }

  /** @param {number} id */
  #sessionName(id) {
    return this.roster?.sessions.find((session) => session.id === id)?.name ?? "";
  }

  /** After each attempt to send: no names stay where nobody is logged in, or who may no longer see them. */
  async #passed() {
    const kind = this.sync.obstacle?.kind;
    if (kind === "login") await this.#store.forgetRosters();
    if (kind === "refused" && this.#confirmed) {
      Object.assign(this.#confirmed, { people: [], void: [] });
      if (this.#confirmed.offline) await this.#store.keepRoster(this.#confirmed);
    }
    await this.#rebuild();
  }

  async #rebuild() {
    this.kept = await this.#store.all();
    this.roster = this.#confirmed && structuredClone(this.#confirmed);
    if (this.roster) {
      replay(this.roster, this.kept.filter((kept) => kept.state === "waiting" && kept.event === this.number));
    }
    this.#told.changed();
  }
}

/**
 * Returns an answer of this device; its words stand in the page.
 *
 * @param {string} outcome
 * @param {Attendee | null} [attendee]
 * @param {import("./roster.js").Session} [session]
 * @returns {import("./sync.js").Result}
 */
export function local(outcome, attendee, session) {
  return { key: "", outcome, word: "", sentence: "", name: attendee?.name ?? "", session: session?.name ?? "" };
}

/** @param {number} number */
function people(number) {
  return number === 1 ? "1 Person" : `${number} Personen`;
}

/** @param {number} milliseconds */
function delay(milliseconds) {
  return new Promise((resolve) => { setTimeout(resolve, milliseconds, null); });
}

