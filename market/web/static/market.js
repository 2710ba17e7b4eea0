/* What the pages do quicker where scripts run; every one of them works without. The attributes are described in docs/pages.md. */
"use strict";
(() => {
  const $ = (selector, root = document) => root.querySelector(selector);
  const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
  const words = () => $("#say")?.dataset ?? {};
  const say = (text) => {
    const place = $("#say");
    if (!place || !text) return;
    place.textContent = "";
    setTimeout(() => { place.textContent = text.trim().replace(/\s+/g, " "); }, 60); // a change is spoken, the same words are not
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
      targets.forEach((target) => target.removeAttribute("aria-busy"));
      if (quiet) return;
      if (method === "GET") { location.href = url; return; }
      if (form?.dispatchEvent(new CustomEvent("market:unsent", { bubbles: true, cancelable: true, detail: { url, body } }))) tell(words().unsent);
      return;
    } finally {
      if (running.get(names) === stop) running.delete(names);
    }
    const page = new DOMParser().parseFromString(text, "text/html");
    const all = answer.ok && ids.every((id) => page.getElementById(id));
    if (!all && (quiet || !page.getElementById("content"))) { if (!quiet) location.href = answer.url; return; }
    if (form && answer.ok) forget(form);
    const node = exchange(all ? ids : ["content"], page, { quiet, method });
    targets.forEach((target) => target.removeAttribute("aria-busy"));
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
    if (link && link.origin === location.origin) { event.preventDefault(); swap(link.href, link.dataset.swap); }
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
    if (form) { keep(form); total(form); }
    if (!button || event.target.type === "file") return;
    clearTimeout(waiting.get(form));
    waiting.set(form, setTimeout(() => form.requestSubmit(button), event.target.matches("select, [type=checkbox], [type=radio]") ? 0 : 400));
  });

  /* data-keep on a form: what was typed stays in this tab until it has arrived; data-keep="long" survives the tab, for a week. */
  const store = (form) => { try { return form.dataset.keep === "long" ? localStorage : sessionStorage; } catch { return null; } };
  const name = (form) => `keep:${form.getAttribute("action") || location.pathname}:${form.id}`;
  const typed = (form) => [...form.elements].filter((field) => field.name && !/^(hidden|password|file|submit|button)$/.test(field.type) && field.type !== undefined);
  function keep(form) {
    if (form.dataset.keep === undefined) return;
    const fields = typed(form).map((field) => [field.name, field.type, field.value, field.checked === true]);
    try { store(form)?.setItem(name(form), JSON.stringify({ at: Date.now(), fields })); } catch { /* full or forbidden: then nothing is kept */ }
  }
  function forget(form) { if (form.dataset.keep !== undefined) { store(form)?.removeItem(name(form)); sessionStorage.removeItem("sent"); } }
  function sent(form) {
    if (form.dataset.keep !== undefined) { keep(form); sessionStorage.setItem("sent", JSON.stringify([name(form), form.dataset.keep === "long"])); }
    if (/\/sign-out$/.test(form.action)) for (const key of Object.keys(localStorage)) if (key.startsWith("keep:")) localStorage.removeItem(key);
  }
  function arrived() {
    const last = JSON.parse(sessionStorage.getItem("sent") ?? "null");
    if (!last) return;
    const status = performance.getEntriesByType("navigation")[0]?.responseStatus ?? 200;
    const same = $$("form[data-keep]").some((form) => name(form) === last[0]);
    if (status >= 400 || (same && !$("#said .good"))) return; // refused, or never sent: it is still needed
    (last[1] ? localStorage : sessionStorage).removeItem(last[0]);
    sessionStorage.removeItem("sent");
  }
  function restore(form) {
    const kept = JSON.parse(store(form)?.getItem(name(form)) ?? "null");
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

  /* data-sum="name" with data-currency and data-digits: the sum of data-minor of the ticked boxes of that name. */
  function total(form) {
    for (const place of $$("[data-sum]", form)) {
      const boxes = $$(`input[name="${place.dataset.sum}"]:checked`, form);
      const minor = boxes.reduce((sum, box) => sum + Number(box.dataset.minor ?? 0), 0);
      const digits = Number(place.dataset.digits ?? 2);
      const shown = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: place.dataset.currency, minimumFractionDigits: digits, maximumFractionDigits: digits });
      place.textContent = `${boxes.length} · ${shown.format(minor / 10 ** digits)}`;
    }
  }

  /* data-poll="seconds" on an element with an id: fetched again and exchanged while it carries the attribute. */
  function poll(element) {
    setTimeout(async () => {
      if (!element.isConnected) return;
      if (!document.hidden && !element.contains(document.activeElement)) await swap(element.dataset.src || location.href, element.id, { quiet: true, push: false });
      if (element.isConnected) poll(element);
    }, 1000 * Math.max(1, Number(element.dataset.poll) || 5));
  }

  /* data-key="j" or "g o": pressed by these keys; data-rows: j and k walk through its rows; ? shows them all. */
  let prefix = "", timer;
  const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
  document.addEventListener("keydown", (event) => {
    const at = event.target;
    if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
    if (at.isContentEditable || at.matches("textarea, select, input:not([type=checkbox], [type=radio], [type=submit])") || $("dialog[open]")) return;
    const key = prefix ? `${prefix} ${event.key}` : event.key;
    clearTimeout(timer);
    prefix = "";
    const found = $$("[data-key]").filter(visible);
    const hit = found.find((element) => element.dataset.key === key);
    if (hit) { event.preventDefault(); if (hit.matches("input, select, textarea, summary")) hit.focus(); if (!hit.matches("input, select, textarea")) hit.click(); return; }
    if (key === "?") { event.preventDefault(); help(found); return; }
    if ((key === "j" || key === "k") && walk(key === "j" ? 1 : -1)) { event.preventDefault(); return; }
    if (found.some((element) => element.dataset.key.startsWith(`${key} `))) { prefix = key; timer = setTimeout(() => { prefix = ""; }, 1200); }
  });
  function walk(step) {
    const rows = $$("[data-rows] :is(tbody tr, li)").map((row) => $("a, button, input:not([type=hidden])", row)).filter((link) => link && visible(link));
    if (!rows.length) return false;
    const now = rows.findIndex((link) => link.closest("tr, li").contains(document.activeElement));
    rows[now < 0 ? (step > 0 ? 0 : rows.length - 1) : Math.min(rows.length - 1, Math.max(0, now + step))].focus();
    return true;
  }
  function help(found) {
    const dialog = document.createElement("dialog"), heading = document.createElement("h2"), list = document.createElement("dl");
    const close = document.createElement("button"), form = document.createElement("form");
    const line = (keys, label) => {
      const term = document.createElement("dt"), what = document.createElement("dd");
      for (const key of keys.split(" ")) { const cap = document.createElement("kbd"); cap.textContent = key; term.append(cap, " "); }
      what.textContent = label.trim().replace(/\s+/g, " ");
      list.append(term, what);
    };
    dialog.className = "keys"; dialog.setAttribute("aria-labelledby", "keys-title");
    heading.id = "keys-title"; heading.textContent = words().keys;
    list.className = "facts";
    for (const element of found) line(element.dataset.key, element.dataset.label || element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent);
    if ($("[data-rows]")) line("j k", words().rows);
    line("?", words().keys); line("Esc", words().close);
    form.method = "dialog"; close.className = "button quiet"; close.textContent = words().close;
    form.append(close); dialog.append(heading, list, form); document.body.append(dialog);
    dialog.addEventListener("close", () => dialog.remove());
    dialog.showModal();
  }

  /* Everything that stands on a page from the start, and in what was exchanged. */
  function begin(root) {
    const found = (selector) => [...(root.matches?.(selector) ? [root] : []), ...$$(selector, root)];
    found("[data-poll][id]").forEach(poll);
    found("form[data-keep]").forEach(restore);
    found("form:has([data-sum])").forEach(total);
    found("[data-copy][hidden], [data-script][hidden]").forEach((element) => { element.hidden = false; });
    root.dispatchEvent(new CustomEvent("market:shown", { bubbles: true }));
  }
  try { arrived(); } catch { /* no storage here */ }
  begin(document);
})();
