/* What the pages do quicker where scripts run; every one of them works without. The attributes are described in docs/pages.md. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const tongue = document.documentElement.lang;
  const words = () => $("#say")?.dataset ?? {};
  const neat = (text) => text?.trim().replace(/\s+/g, " ");
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
  const say = (text) => {
    const place = $("#say");
    if (!place || !text) return;
    place.textContent = "";
    setTimeout(() => { place.textContent = neat(text); }, 60); // a change is spoken, the same words are not
  };

  /* data-swap="id ...": fetch where a link or form leads and exchange the elements with these ids for those of the answer. */
  const running = new Map();
  const here = () => location.pathname + location.search;
  let shown = here();
  const settle = (url, push) => { if (push && url !== location.href) history.pushState({ swap: true }, "", url); shown = here(); };

  function exchange(ids, page, { quiet = false, method = "GET" } = {}) {
    const active = document.activeElement;
    const held = active?.id, caret = active?.selectionStart;
    let first = null;
    for (const id of ids) {
      const old = document.getElementById(id), fresh = page.getElementById(id);
      if (!old || !fresh) continue;
      if (quiet && old.isEqualNode(fresh)) continue;
      const node = document.adoptNode(fresh);
      const opened = $$("details[open][id]", old).map((found) => found.id);
      const inside = old.contains(active);
      old.replaceWith(node);
      for (const found of opened) { const again = document.getElementById(found); if (again) again.open = true; }
      begin(node);
      first ??= { node, inside };
    }
    if (!first) return null;
    const again = held && document.getElementById(held);
    const wrong = !quiet && (method !== "GET" || !again) && $("#errors, [aria-invalid=true]", first.node);
    const target = wrong || (first.inside && (again || first.node));
    if (target && target !== document.activeElement) {
      if (target.tabIndex < 0) target.tabIndex = -1;
      target.focus({ preventScroll: target === again });
      if (target === again && caret != null) try { target.setSelectionRange(caret, caret); } catch { /* a number field has no caret */ }
    }
    return first.node;
  }

  async function swap(url, names, { method = "GET", body, push = true, quiet = false, form } = {}) {
    const ids = names.split(/\s+/);
    const targets = ids.map((id) => document.getElementById(id)).filter(Boolean);
    running.get(names)?.abort();
    const stop = new AbortController();
    running.set(names, stop);
    if (!quiet) targets.forEach((target) => target.setAttribute("aria-busy", "true"));
    let answer, text;
    try {
      answer = await fetch(url, { method, body, signal: stop.signal, headers: { Accept: "text/html" } });
      text = await answer.text();
    } catch (error) {
      if (error.name === "AbortError") return;
      if (quiet) return;
      if (method === "GET") { location.href = url; return; }
      tell(words().unsent);
      return;
    } finally {
      if (running.get(names) === stop) {
        running.delete(names);
        targets.forEach((target) => target.removeAttribute("aria-busy"));
      }
    }
    const page = parsed(text);
    const all = answer.ok && ids.every((id) => page.getElementById(id));
    if (!all && (quiet || !page.getElementById("content"))) { if (!quiet) location.href = answer.url; return; }
    if (form && answer.ok) forget(form);
    const node = exchange(all ? ids : ["content"], page, { quiet, method });
    if (quiet) { if (node?.dataset.say) say(node.dataset.say); return; }
    if (all) for (const id of ["said", "basket-link"]) if (!ids.includes(id)) exchange([id], page, { quiet: true });
    document.title = page.title;
    settle(answer.url, push && answer.ok && (method === "GET" || answer.redirected || !all));
    if (!all && answer.ok) { scrollTo(0, 0); $("#content").focus({ preventScroll: true }); }
    say($("#said")?.textContent.trim() || node?.dataset.say || (node && $("h1, h2, h3, caption", node)?.textContent) || page.title);
  }

  function tell(text) {
    const line = document.createElement("p");
    line.className = "flash warn";
    line.textContent = text;
    $("#said")?.replaceChildren(line);
    line.scrollIntoView({ block: "nearest" });
    say(text);
  }

  document.addEventListener("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a[data-swap]");
    if (link?.origin === location.origin) { event.preventDefault(); swap(link.href, link.dataset.swap); }
    const copy = event.target.closest("[data-copy]");
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => say(words().copied));
  });

  document.addEventListener("submit", (event) => {
    const form = event.target, button = event.submitter;
    const names = button?.dataset.swap ?? form.dataset.swap;
    if (event.defaultPrevented) return;
    sent(form);
    if (!names) return;
    event.preventDefault();
    const data = new FormData(form, button);
    const method = (button?.getAttribute("formmethod") ?? form.getAttribute("method") ?? "get").toUpperCase();
    const url = new URL(button?.getAttribute("formaction") ?? form.getAttribute("action") ?? location.href, location.href);
    if (method === "GET") {
      url.search = new URLSearchParams([...data].filter(([, value]) => value !== "" && typeof value === "string"));
      swap(url.href, names);
    } else {
      const files = (button?.getAttribute("formenctype") ?? form.enctype) === "multipart/form-data";
      swap(url.href, names, { method, body: files ? data : new URLSearchParams([...data].filter(([, value]) => typeof value === "string")), form });
    }
  });
  addEventListener("popstate", (event) => {
    if (here() === shown) return; // only what follows the # is another one: what stands in the forms stays
    shown = here();
    if (event.state?.swap || $("[data-swap]")) swap(location.href, "content", { push: false });
  });

  /* data-live on a submit button: it is pressed by itself a moment after something in its form has changed. */
  const waiting = new WeakMap();
  document.addEventListener("input", (event) => {
    const form = event.target.form, button = form && $("button[data-live]", form);
    if (form) { keep(form); sums(form); }
    if (!button || event.target.type === "file") return;
    clearTimeout(waiting.get(form));
    waiting.set(form, setTimeout(() => form.requestSubmit(button), event.target.matches("select, [type=checkbox], [type=radio]") ? 0 : 400));
  });

  /* data-keep on a form: what was typed stays in this tab until it has arrived; data-keep="long" survives the tab, for a week. */
  const store = (form) => { try { return form.dataset.keep === "long" ? localStorage : sessionStorage; } catch { return null; } };
  const keeping = (form) => `keep:${form.getAttribute("action") || location.pathname}:${form.id}`;
  const typed = (form) => [...form.elements].filter((field) => field.name && !/^(hidden|password|file|submit|button|undefined)$/.test(field.type));
  function keep(form) {
    if (form.dataset.keep === undefined) return;
    const fields = typed(form).map((field) => [field.name, field.type, field.value, field.checked === true]);
    try { store(form)?.setItem(keeping(form), JSON.stringify({ at: Date.now(), fields })); } catch { /* full or forbidden: then nothing is kept */ }
  }
  function forget(form) { if (form.dataset.keep !== undefined) { store(form)?.removeItem(keeping(form)); sessionStorage.removeItem("sent"); } }
  function sent(form) {
    if (form.dataset.keep !== undefined) { keep(form); sessionStorage.setItem("sent", JSON.stringify([keeping(form), form.dataset.keep === "long"])); }
    if (/\/sign-out$/.test(form.action)) for (const key of Object.keys(localStorage)) if (key.startsWith("keep:")) localStorage.removeItem(key);
  }
  function arrived() {
    const last = JSON.parse(sessionStorage.getItem("sent") ?? "null");
    if (!last) return;
    const status = performance.getEntriesByType("navigation")[0]?.responseStatus ?? 200;
    const same = $$("form[data-keep]").some((form) => keeping(form) === last[0]);
    if (status >= 400 || (same && !$("#said .good"))) return; // refused, or never sent: it is still needed
    (last[1] ? localStorage : sessionStorage).removeItem(last[0]);
    sessionStorage.removeItem("sent");
  }
  function restore(form) {
    const kept = JSON.parse(store(form)?.getItem(keeping(form)) ?? "null");
    if (!kept || Date.now() - kept.at > 6048e5 || $("[aria-invalid=true]", form)) return;
    const fields = typed(form);
    let count = 0;
    for (const [key, type, value, checked] of kept.fields) {
      const field = fields.find((found) => found.name === key && (!/radio|checkbox/.test(type) || found.value === value));
      if (!field) continue;
      if (/radio|checkbox/.test(type)) { if (field.checked !== checked && field.checked === field.defaultChecked) { field.checked = checked; count += 1; } }
      else if (field.value !== value && (field.value === field.defaultValue || field.tagName === "SELECT")) { field.value = value; count += 1; }
    }
    if (count) say(words().kept);
  }

  /* data-poll="seconds" on an element with an id: fetched again and exchanged while it carries the attribute. */
  function poll(element) {
    setTimeout(async () => {
      if (!element.isConnected) return;
      if (!document.hidden && !element.contains(document.activeElement)) await swap(element.dataset.src || location.href, element.id, { quiet: true, push: false });
      if (element.isConnected) poll(element);
    }, 1000 * Math.max(1, Number(element.dataset.poll) || 5));
  }

  /* data-key, data-rows and data-sum are in desk.js, fetched by a page with rows or sums, elsewhere with the first key that is
     pressed: a phone has none. What is pressed until it is here is pressed then. */
  const desk = () => import(words().desk);
  const sums = (form) => { if ($("[data-sum]", form)) desk().then(({ total }) => total(form), () => {}); };
  const pressed = [];
  document.addEventListener("keydown", function first(event) {
    if (event.target.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])")) return;
    if ($$("[data-key]").some((element) => element.dataset.key === event.key)) event.preventDefault();
    if (pressed.push(event) > 1) return;
    desk().then(({ press }) => {
      document.removeEventListener("keydown", first);
      document.addEventListener("keydown", (next) => next.defaultPrevented || press(next));
      pressed.forEach(press);
    }, () => { pressed.length = 0; });
  });

  /* Everything that stands on a page from the start, and in what was exchanged. */
  function begin(root) {
    const found = (selector) => [...(root.matches?.(selector) ? [root] : []), ...$$(selector, root)];
    found("[data-poll][id]").forEach(poll);
    found("form[data-keep]").forEach(restore);
    found("form").forEach(sums);
    found("[data-copy][hidden], [data-script][hidden]").forEach((element) => { element.hidden = false; });
  }
  /* Forms with data-later: sent at once where there is a signal, otherwise kept on this phone and sent later, once. Without
     this script they are ordinary forms. Every kept form carries the key that it was drawn with; the server answers a key that
     it knows as it did before, so an answer that was lost on the way doubles nothing. A kept form is shown and sent only on
     the pages of the producer for whom it was filled in. */
  (function later() {
    const place = $("#later");
    if (!place || !window.indexedDB) return;
    const words = place.dataset, list = $("ul", place), line = $("template", place).content, why = $("[data-why]", place);
    const PATIENCE_MS = 30000, PAUSE_MS = 30000;

    /* The kept forms: one store, by key. */
    const opened = new Promise((done, failed) => {
      const request = indexedDB.open("later", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("forms", { keyPath: "id" });
      request.onsuccess = () => done(request.result);
      request.onerror = () => failed(request.error);
    });
    const kept = async (mode, act) => {
      const base = await opened;
      return new Promise((done, failed) => {
        const work = base.transaction("forms", mode), request = act(work.objectStore("forms"));
        work.oncomplete = () => done(request.result);
        work.onerror = work.onabort = () => failed(work.error);
      });
    };
    const put = (one) => kept("readwrite", (forms) => forms.put(one));
    const drop = (id) => kept("readwrite", (forms) => forms.delete(id));
    const mine = async () => (await kept("readonly", (forms) => forms.getAll())).filter((one) => one.owner === words.owner).sort((a, b) => a.at - b.at);
    let usable = false;

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
      if (/^(401|408|429|5)/.test(answer.status)) return { unsent: words.offline };
      const page = parsed(text);
      return { refused: neat($("#errors li, #content .error, #content p", page)?.textContent) || String(answer.status), page };
    }

    /* The session of now: a token for the form, and whose pages these are. */
    async function ticket() {
      try {
        const answer = await fetch(words.ticket, { cache: "no-store", signal: AbortSignal.timeout(PATIENCE_MS) });
        if (!/json/.test(answer.headers.get("Content-Type"))) return { unsent: answer.status < 500 ? words.signIn : words.offline };
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

    async function show(reason) {
      const waiting = usable ? await mine() : [];
      list.replaceChildren(...sent.map((one) => item(one, words.sent)), ...waiting.map((one) => item(one, one.refused ? `${words.refused} ${one.refused}` : words.waiting)));
      $("[data-title]", place).textContent = waiting.length ? words.title : words.arrived;
      why.textContent = waiting.some((one) => !one.refused) ? reason || "" : "";
      place.hidden = !list.children.length;
      clearTimeout(show.timer);
      if (waiting.some((one) => !one.refused)) show.timer = setTimeout(flush, PAUSE_MS);
    }

    function item(one, state) {
      const node = line.cloneNode(true);
      const when = new Date(one.at).toLocaleString(tongue, { dateStyle: "medium", timeStyle: "short" });
      $("[data-what]", node).textContent = one.title;
      $("[data-state]", node).textContent = `${when} · ${state}`;
      const [again, correct, discard, open] = $$("button, a", node);
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
      try { store(form)?.removeItem(keeping(form)); } catch { /* no storage */ }
      form.reset();
      const key = form.elements.namedItem("key"); // the next form is another one
      if (key) key.value = [...crypto.getRandomValues(new Uint8Array(16))].map((byte) => byte.toString(16).padStart(2, "0")).join("");
      await show(result.unsent);
      place.tabIndex = -1;
      place.focus();
    });

    /* The answer says what to correct: show it, with the files that a page cannot bring back. */
    function correctHere(form, { page, refused }) {
      const content = $("#content", page);
      const files = $$("input[type=file]", form).filter((input) => input.files.length);
      if (!content) { why.textContent = refused; place.hidden = false; return; }
      $("#content").replaceChildren(...content.childNodes);
      for (const old of files) { const input = document.getElementById(old.id); if (input) input.files = old.files; }
      const first = $("#errors, [aria-invalid=true], #content h1");
      if (first) { first.tabIndex = -1; first.focus(); }
    }

    /* "Correct" opens the page of the form with what was kept. */
    async function reopen() {
      const id = location.hash.startsWith("#later=") && location.hash.slice(7);
      const one = id && (await mine()).find((found) => found.id === id), form = $("form[data-later]");
      if (!one || !form) return;
      form.dataset.replaces = id;
      const chosen = new Set();
      for (const [name, value] of one.fields) {
        if (/^(csrf_token|key|sent_for)$/.test(name)) continue;
        for (const field of $$(`[name="${CSS.escape(name)}"]`, form)) {
          if (value instanceof File) { if (field.type === "file" && value.size) { const box = new DataTransfer(); box.items.add(value); field.files = box.files; } }
          else if (/radio|checkbox/.test(field.type)) { if (!chosen.has(name + field.value)) field.checked = false; if (field.value === value) { field.checked = true; chosen.add(name + value); } }
          else if (field.type !== "submit") field.value = value;
        }
      }
      $("input:not([type=hidden]), select, textarea", form)?.focus();
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
    opened.then(() => { usable = true; reopen(); flush(); }, () => {});
    navigator.serviceWorker?.register(words.worker, { scope: words.scope }).catch(() => { /* an improvement, never a condition */ });
  })();

  try { arrived(); } catch { /* no storage here */ }
  begin(document);
  if ($("[data-rows]")) desk().catch(() => {});
})();
