// The page that stands in for others without a network: leads to the scanners that are ready here.

import { Store } from "./store.js";
import { part } from "./view.js";

const store = await Store.open();
await store.expire(Date.now());
const ready = await store.rosters();
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
