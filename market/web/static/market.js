/* What the pages do quicker where scripts run; every one of them works without. The attributes are described in docs/pages.md. */
"use strict";
{
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const byId = (id, page = document) => page.getElementById(id);
  const tongue = document.documentElement.lang, mouth = $("#say"), words = mouth.dataset;
  const neat = (text) => text?.trim().replace(/\s+/g, " ");
  const parsed = (text) => new DOMParser().parseFromString(text, "text/html");
  const make = (tag, text, className = "") => Object.assign(document.createElement(tag), { textContent: text, className });
  const on = (what, act, where = document) => where.addEventListener(what, act);
  const FIELDS = "input:not([type=hidden], [type=submit]), select, textarea", BOXES = "[type=checkbox], [type=radio]";
  function say(text) {
    if (!text) return;
    mouth.textContent = "";
    setTimeout(() => { mouth.textContent = neat(text); }, 60); // a change is spoken, the same words are not
  }
  function tell(text) {
    const line = make("p", text, "flash warn");
    $("#said").replaceChildren(line);
    line.scrollIntoView({ block: "nearest" });
    say(text);
  }
  function attend(element, still = false) {
    if (!element) return;
    if (element.tabIndex < 0) element.tabIndex = -1;
    element.focus({ preventScroll: still });
  }

  /* What a link with a fragment leads to comes into sight, unless it is. */
  function reach(element) {
    const box = element?.getBoundingClientRect?.();
    if (box && (box.bottom < 99 || box.top > innerHeight - 99)) element.scrollIntoView();
  }

  /* data-swap="id ...": fetch where a link or form leads and exchange the elements with these ids for those of the answer. */
  const running = {};
  const here = () => location.pathname + location.search;
  let shown = here();

  function exchange(ids, page, quiet, method) {
    const active = document.activeElement, held = active.id, caret = active.selectionStart;
    let first, inside;
    for (const id of ids) {
      const old = byId(id), fresh = byId(id, page);
      if (!old || !fresh || (quiet && old.isEqualNode(fresh))) continue;
      const opened = $$("details[open][id]", old);
      inside ||= old.contains(active);
      old.replaceWith(fresh);
      for (const { id } of opened) byId(id)?.setAttribute("open", "");
      begin(fresh);
      first ??= fresh;
    }
    if (!first) return;
    const again = held && byId(held);
    const target = (!quiet && (method !== "GET" || !again) && $("#errors, [aria-invalid=true]", first)) || (inside && (again || first));
    if (target && target !== document.activeElement) {
      attend(target, target === again);
      if (target === again && caret != null) try { target.setSelectionRange(caret, caret); } catch { /* a number field has no caret */ }
    }
    return first;
  }

  async function swap(url, names, { method = "GET", body, push = true, quiet, form } = {}) {
    const ids = names.split(/\s+/), stop = new AbortController();
    const busy = (state) => { if (!quiet) for (const id of ids) byId(id)?.setAttribute("aria-busy", state); };
    running[names]?.abort();
    running[names] = stop;
    busy(true);
    let answer, text;
    try {
      answer = await fetch(url, { method, body, signal: stop.signal, headers: { Accept: "text/html" } });
      text = await answer.text();
    } catch (error) {
      if (quiet || error.name === "AbortError") return;
      if (method === "GET") location.href = url;
      else tell(words.unsent);
      return;
    } finally {
      if (running[names] === stop) busy(false);
    }
    const page = parsed(text), away = answer.status === 503 && $("#content .lead", page);
    if (away && method !== "GET") return quiet || tell(neat(away.textContent));
    const all = answer.ok && ids.every((id) => byId(id, page));
    if (!all && (quiet || !byId("content", page))) { if (!quiet) location.href = answer.url; return; }
    if (form && answer.ok) forget(keeping(form));
    const node = exchange(all ? ids : ["content"], page, quiet, method);
    if (quiet) return say(node?.dataset.say);
    if (all) exchange(["said", "basket-link"], page, true);
    document.title = page.title;
    if (push && answer.ok && (method === "GET" || answer.redirected || !all) && answer.url !== location.href) history.pushState(1, "", answer.url);
    shown = here();
    if (!all && answer.ok) { scrollTo(0, 0); attend($("#content"), true); }
    say(neat($("#said").textContent) || node?.dataset.say || (node && $("h1, h2, h3, caption", node)?.textContent) || page.title);
  }

  on("click", (event) => {
    if (event.defaultPrevented || event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
    const link = event.target.closest("a[data-swap]"), copy = event.target.closest("[data-copy]");
    if (link?.origin === location.origin) { event.preventDefault(); swap(link.href, link.dataset.swap).then(() => reach(link.hash && byId(link.hash.slice(1)))); }
    if (copy) navigator.clipboard?.writeText(copy.dataset.copy).then(() => say(words.copied));
  });

  on("submit", (event) => {
    const form = event.target, button = event.submitter;
    const names = button?.dataset.swap ?? form.dataset.swap;
    if (event.defaultPrevented) return;
    clearTimeout(form.timer); // asked in a moment, a live part would be answered with the message that is for whoever sent this
    sent(form);
    if (!names) return;
    event.preventDefault();
    const asked = (name) => button?.getAttribute(`form${name}`) ?? form.getAttribute(name);
    const data = new FormData(form, button), method = (asked("method") ?? "get").toUpperCase(), url = new URL(asked("action") ?? location.href, location.href);
    const plain = new URLSearchParams([...data].filter(([, value]) => typeof value === "string" && (value || method !== "GET")));
    if (method === "GET") {
      url.search = plain;
      swap(url.href, names);
    } else swap(url.href, names, { method, body: asked("enctype") === "multipart/form-data" ? data : plain, form });
  });
  on("popstate", (event) => {
    if (here() === shown) return; // only what follows the # is another one: what stands in the forms stays
    shown = here();
    if (event.state || $("[data-swap]")) swap(location.href, "content", { push: false });
  }, window);

  /* data-live on a submit button: it is pressed by itself a moment after something in its form has changed. */
  on("input", ({ target }) => {
    const form = target.form, button = form && $("button[data-live]", form);
    if (form) { keep(form); total(form); }
    if (!button || target.type === "file") return;
    clearTimeout(form.timer);
    form.timer = setTimeout(() => form.requestSubmit(button), target.matches(`select, ${BOXES}`) ? 0 : 400);
  });

  /* data-keep on a form: what was typed stays in this tab until it has arrived. */
  const keeping = (form) => `keep:${form.getAttribute("action") || location.pathname}:${form.id}`;
  const keeps = (form) => form.dataset.keep !== undefined;
  function keep(form) {
    if (!keeps(form)) return;
    const typed = $$(FIELDS, form).filter((field) => !/file|password/.test(field.type) && (field.checked || !field.matches(BOXES)));
    try { sessionStorage[keeping(form)] = JSON.stringify(typed.map((field) => [field.name, field.value])); } catch { /* full or forbidden: then nothing is kept */ }
  }
  function forget(key) { delete sessionStorage[key]; delete sessionStorage.sent; }
  function sent(form) {
    if (keeps(form)) { keep(form); sessionStorage.sent = keeping(form); }
    if (/\/sign-out$/.test(form.getAttribute("action"))) sessionStorage.clear();
  }
  function arrived() {
    const last = sessionStorage.sent, refused = performance.getEntriesByType("navigation")[0]?.responseStatus >= 400;
    const same = $$("form[data-keep]").some((form) => keeping(form) === last);
    if (last && !refused && (!same || $("#said .good"))) forget(last); // else refused, or never sent: it is still needed
  }
  function restore(form) {
    const kept = sessionStorage[keeping(form)];
    if (kept && !$("[aria-invalid=true]", form) && fill(form, JSON.parse(kept))) say(words.kept);
  }

  /* Fill in what was typed before, pairs of name and value as they stood; unless `over`, only what the server left empty. */
  function fill(form, pairs, over) {
    let count = 0;
    for (const field of $$(FIELDS, form)) {
      const box = field.matches(BOXES), found = pairs.findIndex(([name, value]) => name === field.name && (!box || value === field.value));
      const [, value] = found < 0 ? [] : pairs.splice(found, 1)[0];
      if (box) {
        if (field.checked === (found >= 0) || !(over || field.checked === field.defaultChecked)) continue;
        field.checked = found >= 0;
      } else if (field.type === "file") {
        if (!value?.size) continue;
        const files = new DataTransfer();
        files.items.add(value);
        field.files = files.files;
      } else {
        if (found < 0 || field.value === value || !(over || field.value === field.defaultValue || field.matches("select"))) continue;
        field.value = value;
      }
      count += 1;
    }
    return count;
  }

  /* data-poll="seconds" on an element with an id: fetched again and exchanged while it carries the attribute. */
  function poll(element) {
    setTimeout(async () => {
      if (element.isConnected && !document.hidden && !element.contains(document.activeElement)) await swap(location.href, element.id, { quiet: true });
      if (element.isConnected) poll(element);
    }, 1000 * element.dataset.poll);
  }

  /* data-sum="name" with data-currency and data-digits: the sum of data-minor of the ticked boxes of that name. */
  function total(form) {
    for (const place of $$("[data-sum]", form)) {
      const { sum, currency, digits } = place.dataset, boxes = $$(`[name="${sum}"]:checked`, form);
      const minor = boxes.reduce((all, box) => all + Number(box.dataset.minor), 0);
      const money = new Intl.NumberFormat(tongue, { style: "currency", currency, minimumFractionDigits: digits, maximumFractionDigits: digits });
      place.textContent = `${boxes.length} · ${money.format(minor / 10 ** digits)}`;
    }
  }

  /* data-key="j" or "g o": pressed by these keys; data-rows: j and k walk through its rows; ? shows them all. */
  let prefix = "", timer;
  const visible = (element) => element?.getClientRects().length;
  on("keydown", (event) => {
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing || $("dialog[open]")) return;
    if (event.target.matches(FIELDS) && !event.target.matches(BOXES)) {
      if (event.key === "Escape") { event.preventDefault(); event.target.blur(); } // out of the filter, back to the keys of the page
      return;
    }
    const key = prefix + event.key, found = $$("[data-key]").filter(visible), hit = found.find((element) => element.dataset.key === key);
    clearTimeout(timer);
    prefix = "";
    if (hit) {
      if (hit.matches(`${FIELDS}, summary`)) hit.focus();
      if (!hit.matches(FIELDS)) hit.click();
      if (hit.parentNode.open) $$(FIELDS, hit.parentNode).find(visible)?.focus();
    } else if (key === "?") help(found);
    else if (!(key === "j" && walk(1)) && !(key === "k" && walk(-1))) {
      if (found.some((element) => element.dataset.key.startsWith(`${key} `))) { prefix = `${key} `; timer = setTimeout(() => { prefix = ""; }, 1200); }
      return;
    }
    event.preventDefault();
  });
  function walk(step) {
    const rows = $$("[data-rows] :is(tbody tr, li)").map((row) => $("a, button, input:not([type=hidden])", row)).filter(visible);
    const now = rows.findIndex((link) => link.closest("tr, li").contains(document.activeElement));
    const next = rows[now < 0 && step < 0 ? rows.length - 1 : now + step] ?? rows[now];
    next?.focus();
    return next;
  }
  function help(found) {
    const dialog = $("#all-keys"), list = $("dl", dialog);
    const line = (keys, label) => {
      const term = make("dt");
      for (const key of keys.split(" ")) term.append(make("kbd", key), " ");
      list.append(term, make("dd", neat(label)));
    };
    list.replaceChildren();
    for (const element of found) line(element.dataset.key, element.dataset.label || element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent);
    if ($("[data-rows]")) line("j k", words.rows);
    line("?", $("h2", dialog).textContent);
    line("Esc", $("button", dialog).textContent);
    dialog.showModal();
  }

  /* Everything that stands on a page from the start, and in what was exchanged. */
  function begin(root) {
    const found = (selector) => [root, ...$$(selector, root)].filter((element) => element.matches?.(selector));
    found("[data-poll]").forEach(poll);
    found("form").forEach(total);
    try { found("form[data-keep]").forEach(restore); } catch { /* no storage here */ }
  }

  /* Forms with data-later: sent at once where there is a signal, otherwise kept on this phone and sent later, once. Without
     this script they are ordinary forms. Every kept form carries the key that it was drawn with; the server answers a key that
     it knows as it did before, so an answer that was lost on the way doubles nothing. A kept form is shown and sent only on
     the pages of the producer for whom it was filled in. */
  function later(place) {
    const words = place.dataset, list = $("ul", place), why = $("[data-why]", place);
    const PATIENCE_MS = 30000, PAUSE_MS = 30000;
    const soon = () => AbortSignal.timeout(PATIENCE_MS);

    /* The kept forms: one store, by key. */
    const opened = new Promise((done, failed) => {
      const request = indexedDB.open("later", 1);
      request.onupgradeneeded = () => request.result.createObjectStore("forms", { keyPath: "id" });
      request.onsuccess = () => done(request.result);
      request.onerror = failed;
    });
    const kept = async (act) => {
      const work = (await opened).transaction("forms", "readwrite"), request = act(work.objectStore("forms"));
      return new Promise((done, failed) => {
        work.oncomplete = () => done(request.result);
        work.onabort = failed;
      });
    };
    const put = (one) => kept((forms) => forms.put(one));
    const drop = (id) => kept((forms) => forms.delete(id));
    const mine = async () => (await kept((forms) => forms.getAll())).filter((one) => one.owner === words.owner).sort((a, b) => a.at - b.at);
    let usable;

    /* One try to send: { done: address }, { refused: sentence, page }, or { unsent: why }. */
    async function post(one, token) {
      const body = new FormData();
      for (const [name, value] of one.fields) body.append(name, value);
      if (token) body.set("csrf_token", token);
      let answer, text;
      try {
        answer = await fetch(one.url, { method: "POST", body, signal: soon(), headers: { "X-Sent-Later": "1", Accept: "text/html" } });
        text = await answer.text();
      } catch { return { unsent: words.offline }; }
      const { status } = answer;
      if (answer.ok) return { done: status === 204 ? answer.headers.get("Location") : answer.url };
      if (status === 400 && !token) {
        const pass = await ticket();
        return pass.token ? post(one, pass.token) : pass;
      }
      if (/^(401|408|429|5)/.test(status)) return { unsent: words.offline };
      const page = parsed(text);
      return { refused: neat($("#errors li, #content .error, #content p", page)?.textContent) || String(status), page };
    }

    /* The session of now: a token for the form, and whose pages these are. */
    async function ticket() {
      try {
        const answer = await fetch(words.ticket, { cache: "no-store", signal: soon() });
        if (answer.status >= 500) return { unsent: words.offline };
        const pass = await answer.json().catch(() => ({}));
        return pass.owner === words.owner ? pass : { unsent: words.signIn };
      } catch { return { unsent: words.offline }; }
    }

    /* Send what waits, oldest first, one tab at a time; what was refused waits for a person. */
    const gone = [];
    async function flush(id) {
      if (!usable) return;
      const work = async () => {
        const waiting = (await mine()).filter((one) => (id ? one.id === id : !one.refused));
        const pass = waiting.length ? await ticket() : {};
        for (const one of pass.token ? waiting : []) {
          const { done, refused, unsent } = await post(one, pass.token);
          if (unsent) return show(unsent);
          if (refused) await put({ ...one, refused });
          else { await drop(one.id); gone.push({ ...one, done }); }
        }
        return show(pass.unsent);
      };
      await (navigator.locks ? navigator.locks.request("later", { ifAvailable: true }, (lock) => lock && work()) : work());
    }

    async function show(reason = "") {
      const waiting = usable ? await mine() : [], unsent = waiting.some((one) => !one.refused);
      list.replaceChildren(...[...gone, ...waiting].map(item));
      $("[data-title]", place).textContent = waiting.length ? words.title : words.arrived;
      why.textContent = unsent ? reason : "";
      place.hidden = !list.children.length;
      clearTimeout(show.timer);
      if (unsent) show.timer = setTimeout(flush, PAUSE_MS);
    }

    function item(one) {
      const node = $("template", place).content.cloneNode(true), when = new Date(one.at).toLocaleString(tongue, { dateStyle: "medium", timeStyle: "short" });
      const [again, correct, discard, open] = $$("button, a", node), left = one.done !== undefined;
      $("[data-what]", node).textContent = one.title;
      const state = left ? words.sent : one.refused ? `${words.refused} ${one.refused}` : words.waiting;
      $("[data-state]", node).textContent = `${when} · ${state}`;
      again.hidden = discard.hidden = left;
      correct.hidden = left || !one.refused;
      open.hidden = !one.done;
      if (one.done) open.href = one.done;
      correct.href = `${one.page}#later=${one.id}`;
      correct.onclick = () => { if (correct.href === location.href) reopen(); }; // pressed again, nothing changes in the address
      again.onclick = () => flush(one.id);
      discard.onclick = async () => { if (confirm(words.sure)) { await drop(one.id); show(); } };
      for (const button of $$("button, a", node)) button.setAttribute("aria-label", `${neat(button.textContent)}: ${one.title}`);
      return node;
    }

    /* A form on its way. It is kept before it is sent: a tab that is closed meanwhile loses nothing either. */
    on("submit", async (event) => {
      const form = event.target, button = event.submitter;
      if (event.defaultPrevented || !usable || form.dataset.later === undefined || button?.dataset.swap !== undefined) return;
      event.preventDefault();
      if (form.ariaBusy === "true") return;
      form.ariaBusy = "true";
      const fields = [...new FormData(form, button)], { key, [form.dataset.laterName]: name } = Object.fromEntries(fields), page = here();
      const url = button?.getAttribute("formaction") ?? form.getAttribute("action") ?? page;
      const one = { id: key, owner: words.owner, at: Date.now(), page, url, title: [form.dataset.later, name].filter(Boolean).join(": "), fields };
      try { await put(one); } catch { HTMLFormElement.prototype.submit.call(form); return; }
      const result = await post(one);
      form.ariaBusy = "false";
      if (!result.unsent) await drop(key);
      if (form.dataset.replaces) await drop(form.dataset.replaces);
      if (result.unsent) {
        forget(keeping(form));
        form.reset();
        form.elements.namedItem("key").value = crypto.getRandomValues(new Uint32Array(4)).join("-"); // the next form is another one
        await show(result.unsent);
        attend(place);
      } else if (result.refused) correctHere(form, result);
      else location.assign(result.done || page);
    });

    /* The answer says what to correct: show it, with the files that a page cannot bring back. */
    function correctHere(form, { page, refused }) {
      const content = $("#content", page);
      if (!content) return tell(refused);
      const files = $$("[type=file]", form);
      $("#content").replaceChildren(...content.childNodes);
      for (const old of files) { const input = byId(old.id); if (input) input.files = old.files; }
      attend($("#errors, [aria-invalid=true], #content h1"));
    }

    /* "Correct" opens the page of the form with what was kept. */
    async function reopen() {
      const [, id] = location.hash.split("#later="), one = (await mine()).find((found) => found.id === id), form = $("form[data-later]");
      if (!one || !form) return;
      form.dataset.replaces = id;
      fill(form, one.fields, true);
      $(FIELDS, form).focus();
    }

    /* Whoever leaves takes their pages with them. What waits stays, for them alone. */
    on("submit", async (event) => {
      const form = event.target;
      if (event.defaultPrevented || form.dataset.leaves || !/\/(sign-out|field\/end)$/.test(form.getAttribute("action"))) return;
      event.preventDefault();
      if (usable && (await mine()).length && !confirm(words.leave)) return;
      if (window.caches) await caches.delete(words.pages);
      form.dataset.leaves = 1;
      form.requestSubmit();
    });

    on("hashchange", reopen, window);
    on("online", () => flush(), window);
    on("visibilitychange", () => { if (!document.hidden) flush(); });
    opened.then(() => { usable = true; reopen(); flush(); }, () => {});
    navigator.serviceWorker?.register(words.worker, { scope: words.scope }).catch(() => { /* an improvement, never a condition */ });
  }

  try { arrived(); } catch { /* no storage here */ }
  begin(document);
  $(".desk > nav [aria-current=page]")?.scrollIntoView({ block: "nearest", inline: "center" });
  if ($("#later") && window.indexedDB) later($("#later"));
}
