// On pages that nobody is logged in to see: no names stay on this device. What was recorded and is
// not yet sent stays until it is.

import { forgetShells } from "./shell.js";
import { Store } from "./store.js";

const known = "databases" in indexedDB ? (await indexedDB.databases()).some(({ name }) => name === "einlass") : true;
if (known) {
  const store = await Store.open();
  await store.forgetRosters();
  await forgetShells();
  new BroadcastChannel("einlass").postMessage("left");
}
