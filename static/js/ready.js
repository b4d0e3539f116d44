// Gets an event ready for a door without a network, and says whether it is.

import { readsByItself } from "./camera.js";
import { keepShell } from "./shell.js";
import { Store } from "./store.js";
import { fetchRoster } from "./sync.js";
import { part } from "./view.js";

const page = part("bereit");
const { number, scanner, detector, wasm, sprite } = page.dataset;

/**
 * @param {"ok" | "warn" | "bad"} tone
 * @param {string} word
 * @param {string} sentence
 */
function say(tone, word, sentence) {
  page.classList.remove("tr-none", "tr-ok", "tr-warn", "tr-bad");
  page.classList.add(`tr-${tone}`);
  page.querySelector("use").setAttribute("href", `${sprite}#${tone === "ok" ? "check-ring" : "exclamation-ring"}`);
  page.querySelector('[data-line="word"]').textContent = word;
  page.querySelector('[data-line="sentence"]').textContent = sentence;
}

async function getReady() {
  say("warn", "Wird vorbereitet", "Einen Augenblick bitte.");
  const store = await Store.open();
  await store.expire(Date.now());
  let roster;
  try {
    roster = await fetchRoster(number);
  } catch (error) {
    roster = await store.roster(number);
    if (!roster || error.obstacle) {
      return say("bad", "Nicht bereit", "Die Namen ließen sich nicht laden. Bitte prüfen Sie das Netz, loggen Sie sich ein und versuchen Sie es noch einmal.");
    }
  }
  if (!roster.offline) {
    await store.forgetRoster(number);
    return say("warn", "Nur mit Netz", "Für diese Veranstaltung bleiben keine Namen auf dem Gerät. Nehmen Sie die gedruckte Liste mit, falls es vor Ort kein Netz gibt.");
  }
  await store.keepRoster(roster);
  if (store.volatile) {
    return say("bad", "Nicht bereit", "Dieses Gerät speichert nichts: Der Speicher ist voll oder gesperrt (etwa in einem privaten Fenster). Bitte schaffen Sie Platz, oder nehmen Sie die gedruckte Liste mit.");
  }
  const files = (await readsByItself()) ? [] : [detector, wasm];
  if (!(await keepShell(scanner, files))) {
    return say("bad", "Nicht bereit", "Der Scanner ließ sich auf diesem Gerät nicht speichern. Bitte versuchen Sie es mit einem aktuellen Browser und gutem Netz noch einmal, oder nehmen Sie die gedruckte Liste mit.");
  }
  const people = roster.people.length === 1 ? "1 Person" : `${roster.people.length} Personen`;
  say("ok", `Bereit ohne Netz: ${people}, Stand ${roster.stand}`, "Der Scanner startet auf diesem Gerät auch ohne Netz. Die Namen verschwinden 24 Stunden nach der Veranstaltung von selbst.");
}

part("noch-einmal").addEventListener("click", getReady);
page.hidden = false;
part("knoepfe").hidden = false;
await getReady();
