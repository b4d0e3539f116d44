// The service worker of the door: starts the scanner without a network. It keeps the scanner's own
// page of each event, which shows no person, and files whose names carry a hash; nothing else.

import { FILES, PAGES } from "./shell.js";
import { Store } from "./store.js";

/** What the page that starts this worker says: files to keep, files that may stay, the page for "no network". */
const { keep, mayStay, offline } = self.DOOR;
const SCANNER = /^\/einlass\/[0-9]{4}-[0-9]{3,5}\/scanner$/;
const PATIENCE = 2500;

self.addEventListener("install", (event) => {
  event.waitUntil(install().then(() => self.skipWaiting()));
});

self.addEventListener("activate", (event) => {
  event.waitUntil(renew().then(() => self.clients.claim()));
});

self.addEventListener("fetch", (event) => {
  const { request } = event;
  const url = new URL(request.url);
  if (request.method !== "GET" || url.origin !== self.location.origin) return;
  if (url.pathname.startsWith("/static/")) event.respondWith(file(request));
  else if (request.mode === "navigate" && SCANNER.test(url.pathname)) event.respondWith(page(request, url.pathname));
  else if (request.mode === "navigate") event.respondWith(elsewhere(request));
});

async function install() {
  const files = await caches.open(FILES);
  for (const name of keep) if (!(await files.match(name))) await files.add(name);
  await (await caches.open(PAGES)).add(new Request(offline, { cache: "no-store" }));
}

/** Fetches the kept pages anew, since they name the files of their release; old files go when all could be fetched. */
async function renew() {
  const pages = await caches.open(PAGES);
  for (const request of await pages.keys()) {
    try {
      const fresh = await fetch(request.url, { redirect: "error", cache: "no-store" });
      if (!fresh.ok) return;
      await pages.put(request.url, fresh);
    } catch {
      return;
    }
  }
  const files = await caches.open(FILES);
  const wanted = new Set([...keep, ...mayStay]);
  for (const request of await files.keys()) {
    if (!wanted.has(new URL(request.url).pathname)) await files.delete(request);
  }
}

// Whatever wakes this worker, names whose time is over go.
Store.open().then((store) => store.expire(Date.now()));

/** @param {Request} request */
async function file(request) {
  const kept = await caches.match(request, { cacheName: FILES });
  return kept ?? fetch(request);
}

/**
 * @param {Request} request
 * @param {string} path without a query
 */
async function page(request, path) {
  const kept = await caches.match(path, { cacheName: PAGES });
  if (!kept) return elsewhere(request);
  const late = new Promise((resolve) => { setTimeout(() => resolve(kept), PATIENCE); });
  // Also whoever may no longer see the page: what waits on this device is sent and named there.
  const online = fetch(request).then((answer) => (answer.status >= 400 ? kept : answer), () => kept);
  return Promise.race([online, late]);
}

/** @param {Request} request */
async function elsewhere(request) {
  try {
    return await fetch(request);
  } catch {
    return (await caches.match(offline, { cacheName: PAGES })) ?? Response.error();
  }
}
