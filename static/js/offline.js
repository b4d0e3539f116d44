// The page that stands in for others without a network: leads to the scanners that are ready here.

import { hasExpired } from "./roster.js";
import { Store } from "./store.js";
import { part } from "./view.js";

const store = await Store.open();
const ready = (await store.rosters()).filter((roster) => !hasExpired(roster, Date.now()));
const rows = ready.map((roster) => {
  const row = part("zeile").content.firstElementChild.cloneNode(true);
  const link = row.querySelector("a");
  link.href = `/einlass/${roster.event.number}/scanner`;
  link.textContent = `${roster.event.number} ${roster.event.title}`;
  row.querySelector("small").textContent = `${roster.event.place}, Stand ${roster.stand}`;
  return row;
});
part("bereite").replaceChildren(...rows);
part("keine").hidden = rows.length > 0;
