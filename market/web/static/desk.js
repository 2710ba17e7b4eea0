/* What desks and keyboards need, fetched by market.js when it is wanted. The attributes are described in docs/pages.md. */
const $ = (selector, root = document) => root.querySelector(selector);
const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];

/* data-sum="name" with data-currency and data-digits: the sum of data-minor of the ticked boxes of that name. */
export function total(form) {
  for (const place of $$("[data-sum]", form)) {
    const boxes = $$(`input[name="${place.dataset.sum}"]:checked`, form);
    const minor = boxes.reduce((sum, box) => sum + Number(box.dataset.minor ?? 0), 0);
    const digits = Number(place.dataset.digits ?? 2);
    const shown = new Intl.NumberFormat(document.documentElement.lang, { style: "currency", currency: place.dataset.currency, minimumFractionDigits: digits, maximumFractionDigits: digits });
    place.textContent = `${boxes.length} · ${shown.format(minor / 10 ** digits)}`;
  }
}

/* data-key="j" or "g o": pressed by these keys; data-rows: j and k walk through its rows; ? shows them all. */
const words = $("#say").dataset;
let prefix = "", timer;
const visible = (element) => element.checkVisibility?.() ?? element.offsetParent !== null;
export function press(event) {
  const at = event.target;
  if (event.ctrlKey || event.metaKey || event.altKey || event.isComposing) return;
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
}
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
  heading.id = "keys-title"; heading.textContent = words.keys;
  list.className = "facts";
  for (const element of found) line(element.dataset.key, element.dataset.label || element.getAttribute("aria-label") || element.labels?.[0]?.textContent || element.textContent);
  if ($("[data-rows]")) line("j k", words.rows);
  line("?", words.keys); line("Esc", words.close);
  form.method = "dialog"; close.className = "button quiet"; close.textContent = words.close;
  form.append(close); dialog.append(heading, list, form); document.body.append(dialog);
  dialog.addEventListener("close", () => dialog.remove());
  dialog.showModal();
}
