/* Pages of a producer as they were last seen, for when there is no signal. Pages of one person at a time: the header
   X-Pages-Of says whose they are, and the first page of somebody else, or of nobody, throws away what was kept. */
"use strict";
const FILES = "files-1", PAGES = "pages-1", WHOSE = "/producer/-whose", MOST = 40;

addEventListener("install", () => skipWaiting());
addEventListener("activate", (event) => event.waitUntil((async () => {
  for (const name of await caches.keys()) if (name !== FILES && name !== PAGES) await caches.delete(name);
  await clients.claim();
})()));

addEventListener("fetch", (event) => {
  const { request } = event, { origin, pathname } = new URL(request.url);
  if (request.method !== "GET" || origin !== location.origin) return;
  if (/^\/(static|media)\//.test(pathname)) event.respondWith(file(event));
  else if (request.mode === "navigate" && /^\/producer(\/|$)/.test(pathname)) event.respondWith(page(event));
});

/* A file from the cache at once, and a fresh one for the next time. */
async function file(event) {
  const kept = await caches.open(FILES), known = await kept.match(event.request);
  const fresh = fetch(event.request).then(async (answer) => {
    if (answer.ok) { await kept.put(event.request, answer.clone()); await trim(kept); }
    return answer;
  });
  if (!known) return fresh;
  event.waitUntil(fresh.catch(() => {}));
  return known;
}

/* A page from the server; what was kept of it only when there is no way to the server. */
async function page(event) {
  try {
    const answer = await fetch(event.request);
    const copy = answer.clone();
    event.waitUntil(keep(event.request, copy));
    return answer;
  } catch {
    const kept = await caches.open(PAGES);
    const known = await kept.match(event.request);
    if (known) return known;
    return (await kept.match("/producer")) ? Response.redirect("/producer") : Response.error();
  }
}

async function keep(request, answer) {
  const whose = answer.headers.get("X-Pages-Of");
  if (answer.type === "opaqueredirect" || answer.status === 401 || answer.status === 403) { await caches.delete(PAGES); return; }
  if (!whose || !answer.ok || !(answer.headers.get("Content-Type") || "").startsWith("text/html")) return;
  let kept = await caches.open(PAGES);
  const before = await kept.match(WHOSE);
  if (before && (await before.text()) !== whose) { await caches.delete(PAGES); kept = await caches.open(PAGES); }
  await kept.put(WHOSE, new Response(whose));
  await kept.put(request, answer);
  await trim(kept);
}

async function trim(kept) {
  const names = await kept.keys();
  for (const name of names.slice(0, Math.max(0, names.length - MOST))) if (!name.url.endsWith(WHOSE)) await kept.delete(name);
}
