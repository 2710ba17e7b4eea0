/* Forms with data-later: sent at once where there is a signal, otherwise kept on this phone and sent later, once. Without
   this script they are ordinary forms. Every kept form carries the key that it was drawn with; the server answers a key that
   it knows as it did before, so an answer that was lost on the way doubles nothing. A kept form is shown and sent only on
   the pages of the producer for whom it was filled in. */
"use strict";
(() => {
  const place = document.getElementById("later");
  if (!place || !window.indexedDB) return;
  const words = place.dataset, list = place.querySelector("ul"), line = place.querySelector("template").content;
  const PATIENCE_MS = 30000, PAUSE_MS = 30000;

  /* The kept forms: one store, by key. */
  const opened = new Promise((done, failed) => {
    const request = indexedDB.open("later", 1);
    request.onupgradeneeded = () => request.result.createObjectStore("forms", { keyPath: "id" });
    request.onsuccess = () => done(request.result);
    request.onerror = () => failed(request.error);
  });
  const store = async (mode, act) => {
    const base = await opened;
    return new Promise((done, failed) => {
      const work = base.transaction("forms", mode), request = act(work.objectStore("forms"));
      work.oncomplete = () => done(request.result);
      work.onerror = work.onabort = () => failed(work.error);
    });
  };
  const put = (one) => store("readwrite", (forms) => forms.put(one));
  const drop = (id) => store("readwrite", (forms) => forms.delete(id));
  const mine = async () => (await store("readonly", (forms) => forms.getAll())).filter((one) => one.owner === words.owner).sort((a, b) => a.at - b.at);
  let usable = false;
  opened.then(() => { usable = true; }, () => {});

  /* One try to send: { done: address }, { refused: sentence, page }, or { unsent: why }. */
  async function post(one, token) {
    const body = new FormData();
    for (const [name, value] of one.fields) body.append(name, value);
    if (token) body.set("csrf_token", token);
    let answer, text;
    try {
      const signal = AbortSignal.timeout(PATIENCE_MS);
      answer = await fetch(one.url, { method: "POST", body, signal, headers: { "X-Sent-Later": "1", Accept: "text/html" } });
      text = await answer.text();
    } catch { return { unsent: words.offline }; }
    if (answer.status === 204) return { done: answer.headers.get("Location") || "" };
    if (answer.ok) return { done: answer.url };
    if (answer.status === 400 && !token) { const pass = await ticket(); return pass.token ? post(one, pass.token) : { unsent: pass.unsent }; }
    if (answer.status === 401 || answer.status === 408 || answer.status === 429 || answer.status >= 500) return { unsent: words.offline };
    const page = new DOMParser().parseFromString(text, "text/html");
    const said = page.querySelector("#errors li, #content .error, #content p");
    return { refused: said?.textContent.trim().replace(/\s+/g, " ") || String(answer.status), page };
  }

  /* The session of now: a token for the form, and whose pages these are. */
  async function ticket() {
    try {
      const answer = await fetch(words.ticket, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
      if (!(answer.headers.get("Content-Type") || "").startsWith("application/json")) return { unsent: answer.status < 500 ? words.signIn : words.offline };
      const pass = await answer.json();
      return pass.owner === words.owner ? pass : { unsent: words.signIn };
    } catch { return { unsent: words.offline }; }
  }

  /* Send what waits, oldest first, one tab at a time; what was refused waits for a person. */
  const sent = [];
  async function flush(id) {
    if (!usable) return;
    const work = async () => {
      const waiting = (await mine()).filter((one) => (id ? one.id === id : !one.refused));
      if (!waiting.length) return show();
      const pass = await ticket();
      if (!pass.token) return show(pass.unsent);
      for (const one of waiting) {
        const result = await post(one, pass.token);
        if (result.unsent) return show(result.unsent);
        if (result.refused) await put({ ...one, refused: result.refused });
        else { await drop(one.id); sent.push({ ...one, href: result.done }); }
      }
      show();
    };
    await (navigator.locks ? navigator.locks.request("later", { ifAvailable: true }, (lock) => lock && work()) : work());
  }

  async function show(why) {
    const waiting = usable ? await mine() : [];
    list.replaceChildren(...sent.map((one) => item(one, words.sent)), ...waiting.map((one) => item(one, one.refused ? `${words.refused} ${one.refused}` : words.waiting)));
    place.querySelector("[data-title]").textContent = waiting.length ? words.title : words.arrived;
    place.querySelector("[data-why]").textContent = waiting.some((one) => !one.refused) ? why || "" : "";
    place.hidden = !list.children.length;
    clearTimeout(show.timer);
    if (waiting.some((one) => !one.refused)) show.timer = setTimeout(flush, PAUSE_MS);
  }

  function item(one, state) {
    const node = line.cloneNode(true);
    const when = new Intl.DateTimeFormat(document.documentElement.lang, { dateStyle: "medium", timeStyle: "short" }).format(one.at);
    node.querySelector("[data-what]").textContent = one.title;
    node.querySelector("[data-state]").textContent = `${when} · ${state}`;
    const [again, correct, discard, open] = node.querySelectorAll("[data-again], [data-correct], [data-discard], [data-open]");
    const gone = one.href !== undefined;
    again.hidden = discard.hidden = gone;
    correct.hidden = gone || !one.refused;
    open.hidden = !one.href;
    if (one.href) open.href = one.href;
    correct.href = `${one.page}#later=${one.id}`;
    correct.onclick = () => { if (correct.href === location.href) reopen(); }; // pressed again, nothing changes in the address
    again.onclick = () => flush(one.id);
    discard.onclick = async () => { if (confirm(words.sure)) { await drop(one.id); show(); } };
    for (const button of [again, correct, discard, open]) button.setAttribute("aria-label", `${button.textContent.trim()}: ${one.title}`);
    return node;
  }

  /* A form on its way. It is kept before it is sent: a tab that is closed meanwhile loses nothing either. */
  document.addEventListener("submit", async (event) => {
    const form = event.target, button = event.submitter;
    if (event.defaultPrevented || !usable || form.dataset.later === undefined || button?.dataset.swap !== undefined) return;
    event.preventDefault();
    if (form.ariaBusy === "true") return;
    form.ariaBusy = "true";
    const data = [...new FormData(form, button)], value = (name) => data.find((pair) => pair[0] === name)?.[1] || "";
    const one = {
      id: value("key"), owner: words.owner, at: Date.now(), page: location.pathname + location.search,
      url: button?.hasAttribute("formaction") ? button.formAction : form.getAttribute("action") || location.pathname + location.search,
      title: [form.dataset.later, value(form.dataset.laterName)].filter(Boolean).join(": "), fields: data,
    };
    try { await put(one); } catch { HTMLFormElement.prototype.submit.call(form); return; }
    const result = await post(one);
    form.ariaBusy = "false";
    if (!result.unsent) await drop(one.id);
    if (form.dataset.replaces && form.dataset.replaces !== one.id) await drop(form.dataset.replaces);
    if (result.done !== undefined) { location.assign(result.done || one.page); return; }
    if (result.refused) { correctHere(form, result); return; }
    try { for (const kept of [localStorage, sessionStorage]) kept.removeItem(`keep:${form.getAttribute("action") || location.pathname}:${form.id}`); } catch { /* no storage */ }
    form.reset();
    const key = form.elements.namedItem("key"); // the next form is another one
    if (key) key.value = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
    await show(result.unsent);
    place.tabIndex = -1;
    place.focus();
  });

  /* The answer says what to correct: show it, with the files that a page cannot bring back. */
  function correctHere(form, { page, refused }) {
    const content = page.getElementById("content");
    const files = [...form.querySelectorAll("input[type=file]")].filter((input) => input.files.length);
    if (!content) { place.querySelector("[data-why]").textContent = refused; place.hidden = false; return; }
    document.getElementById("content").replaceChildren(...content.childNodes);
    for (const old of files) { const input = document.getElementById(old.id); if (input) input.files = old.files; }
    const first = document.querySelector("#errors, [aria-invalid=true], #content h1");
    if (first) { first.tabIndex = -1; first.focus(); }
  }

  /* "Correct" opens the page of the form with what was kept. */
  async function reopen() {
    const id = location.hash.startsWith("#later=") && location.hash.slice(7);
    const one = id && (await mine()).find((found) => found.id === id), form = document.querySelector("form[data-later]");
    if (!one || !form) return;
    form.dataset.replaces = id;
    const chosen = new Set();
    for (const [name, value] of one.fields) {
      if (/^(csrf_token|key|sent_for)$/.test(name)) continue;
      for (const field of form.querySelectorAll(`[name="${CSS.escape(name)}"]`)) {
        if (value instanceof File) { if (field.type === "file" && value.size) { const box = new DataTransfer(); box.items.add(value); field.files = box.files; } }
        else if (/radio|checkbox/.test(field.type)) { if (!chosen.has(name + field.value)) field.checked = false; if (field.value === value) { field.checked = true; chosen.add(name + value); } }
        else if (field.type !== "submit") field.value = value;
      }
    }
    form.querySelector("input:not([type=hidden]), select, textarea")?.focus();
  }

  /* Whoever leaves takes their pages with them. What waits stays, for them alone. */
  document.addEventListener("submit", async (event) => {
    const form = event.target;
    if (event.defaultPrevented || form.dataset.leaves !== undefined || !/\/(sign-out|field\/end)$/.test(form.getAttribute("action") || "")) return;
    event.preventDefault();
    if (usable && (await mine()).length && !confirm(words.leave)) return;
    if (window.caches) await caches.delete(words.pages);
    form.dataset.leaves = "";
    form.requestSubmit();
  });

  addEventListener("hashchange", () => reopen());
  addEventListener("online", () => flush());
  document.addEventListener("visibilitychange", () => { if (!document.hidden) flush(); });
  opened.then(() => { reopen(); flush(); }, () => {});
  navigator.serviceWorker?.register(words.worker, { scope: words.scope }).catch(() => { /* an improvement, never a condition */ });
})();
