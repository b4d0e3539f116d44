// What starts without a network: the service worker, the page and the files that it needs.

export const PAGES = "einlass-seiten";
export const FILES = "einlass-dateien";

/**
 * Keeps the scanner of an event on this device.
 *
 * @param {string} page its address
 * @param {string[]} files what it needs beside what the service worker fetches by itself
 * @returns {Promise<boolean>} whether it will start without a network
 */
export async function keepShell(page, files) {
  if (!("serviceWorker" in navigator)) return false;
  try {
    await navigator.serviceWorker.register("/einlass/sw.js", { scope: "/einlass/", updateViaCache: "none" });
    await navigator.serviceWorker.ready;
    const kept = await caches.open(FILES);
    for (const file of files) if (!(await kept.match(file))) await kept.add(file);
    // A request of its own: what the browser shows now may hold a message to whoever is logged in.
    const fresh = await fetch(page, { redirect: "error", cache: "no-store" });
    if (!fresh.ok) return false;
    await (await caches.open(PAGES)).put(page, fresh);
    return true;
  } catch {
    return false;
  }
}

/** Forgets the pages of all events; the one for "no network" belongs to nobody and stays. */
export async function forgetShells() {
  if (!("caches" in globalThis)) return;
  const pages = await caches.open(PAGES);
  for (const request of await pages.keys()) {
    if (new URL(request.url).pathname.endsWith("/scanner")) await pages.delete(request);
  }
}
