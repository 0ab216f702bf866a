// Comfort for the pages of Countersign. Every page works without this file; nothing here decides anything.
//
//   data-copy-target="id" | data-copy="text"   button that copies; data-copied="Copied" is the label shown for a while
//   data-download="id" data-file="name.txt" data-heading="text"   button that keeps a secret in a file, with a line above it
//   data-countdown data-now="ms" data-period="30" data-text="New code in {s} s"   seconds left of the present time step
//   data-code                                  code field: digits only, whatever was pasted
//   data-reveal="id"                           button that shows and hides a password; data-shown="Hide" its other label
//   data-focus                                 error summary: takes the focus when the page opens
//   data-dismiss                               button that removes the .callout around it
//   data-confirm-name="name"                   field: the form's data-confirm-submit stays off until the name is typed
//   data-tabs                                  sections that become tabs
//   <time datetime="…" data-local="date|time|datetime">   the reader's zone, with the exact instant in the title
//   data-print                                 button that prints the page
//   data-busy="Checking …"                     form: one submission at a time, its button says so

const $$ = (selector, root = document) => [...root.querySelectorAll(selector)];
const on = (selector, type, act) => $$(selector).forEach((el) => el.addEventListener(type, (event) => act(el, event)));

/** Says a thing to screen readers once. */
const say = (() => {
  const live = document.createElement("p");
  live.className = "visually-hidden";
  live.setAttribute("role", "status");
  document.body.append(live);
  return (text) => {
    live.textContent = "";
    setTimeout(() => { live.textContent = text; }, 50);
  };
})();

/** The text of an element without the gaps that only serve the eye. */
const plain = (el) => (el.value ?? el.dataset.value ?? el.textContent).trim().replace(/\s*\n\s*/g, "\n");

const labelOf = (button) => button.querySelector("[data-label]") ?? button;

on("[data-copy], [data-copy-target]", "click", async (button) => {
  const source = button.dataset.copyTarget && document.getElementById(button.dataset.copyTarget);
  const text = source ? plain(source) : button.dataset.copy;
  try {
    await navigator.clipboard.writeText(text);
  } catch {
    if (source) getSelection().selectAllChildren(source); // Ready for the reader's own Ctrl+C.
    return;
  }
  const label = labelOf(button);
  button.dataset.before ??= label.textContent;
  label.textContent = button.dataset.copied || button.dataset.before;
  say(label.textContent);
  clearTimeout(button.timer);
  button.timer = setTimeout(() => { label.textContent = button.dataset.before; }, 4000);
});

on("[data-download]", "click", (button) => {
  const text = [button.dataset.heading, plain(document.getElementById(button.dataset.download)), ""].join("\r\n");
  const address = URL.createObjectURL(new Blob([text.replace(/\r?\n/g, "\r\n")], { type: "text/plain;charset=utf-8" }));
  const link = document.createElement("a");
  link.href = address;
  link.download = button.dataset.file;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 1000);
});

// The server's clock counts, not the phone's: only the time passed since the page was made is taken from here.
for (const el of $$("[data-countdown]")) {
  const ahead = Number(el.dataset.now || Date.now()) - Date.now();
  const period = Number(el.dataset.period || 30);
  const tick = () => {
    const now = (Date.now() + ahead) / 1000;
    const left = period - (now % period);
    el.textContent = (el.dataset.text || "{s}").replace("{s}", String(Math.ceil(left)));
    el.style.setProperty("--left", (left / period).toFixed(3));
    el.classList.toggle("countdown-short", left <= 5);
    setTimeout(tick, (left % 1) * 1000 + 20);
  };
  el.setAttribute("role", "timer");
  el.setAttribute("aria-live", "off");
  el.hidden = false;
  tick();
}

const digits = (text) => text.normalize("NFKC").replace(/\D/g, "");
on("[data-code]", "paste", (field, event) => {
  const text = digits(event.clipboardData.getData("text"));
  if (!text) return;
  event.preventDefault();
  field.setRangeText(text, field.selectionStart, field.selectionEnd, "end");
  field.dispatchEvent(new Event("input", { bubbles: true }));
});
on("[data-code]", "change", (field) => { field.value = digits(field.value); });

on("[data-reveal]", "click", (button) => {
  const field = document.getElementById(button.dataset.reveal);
  const label = labelOf(button);
  const shown = field.type === "password";
  button.dataset.before ??= label.textContent;
  field.type = shown ? "text" : "password";
  label.textContent = shown ? button.dataset.shown : button.dataset.before;
});
// A password leaves the page only from a password field.
document.addEventListener("submit", () => {
  for (const button of $$("[data-reveal]")) document.getElementById(button.dataset.reveal).type = "password";
});

on("[data-dismiss]", "click", (button) => {
  button.closest(".callout").remove();
  document.getElementById("main")?.focus();
});

for (const field of $$("[data-confirm-name]")) {
  const submit = field.form.querySelector("[data-confirm-submit]");
  if (!submit) continue;
  const judge = () => { submit.disabled = field.value.trim() !== field.dataset.confirmName; };
  field.addEventListener("input", judge);
  judge();
}

for (const set of $$("[data-tabs]")) {
  const list = set.querySelector("ul");
  const tabs = $$("a", list);
  const panels = tabs.map((tab) => document.getElementById(tab.hash.slice(1)));
  const show = (chosen) => tabs.forEach((tab, i) => {
    tab.setAttribute("aria-selected", String(tab === chosen));
    tab.tabIndex = tab === chosen ? 0 : -1;
    panels[i].hidden = tab !== chosen;
  });
  list.setAttribute("role", "tablist");
  if (set.getAttribute("aria-label")) list.setAttribute("aria-label", set.getAttribute("aria-label"));
  tabs.forEach((tab, i) => {
    tab.id ||= `${panels[i].id}-tab`;
    tab.parentElement.setAttribute("role", "presentation");
    tab.setAttribute("role", "tab");
    tab.setAttribute("aria-controls", panels[i].id);
    panels[i].setAttribute("role", "tabpanel");
    panels[i].setAttribute("aria-labelledby", tab.id);
    tab.addEventListener("click", (event) => { event.preventDefault(); show(tab); });
    tab.addEventListener("keydown", (event) => {
      const step = { ArrowRight: 1, ArrowLeft: -1, Home: -i, End: tabs.length - 1 - i }[event.key];
      if (step === undefined && event.key !== " ") return;
      event.preventDefault();
      const next = tabs[(i + (step ?? 0) + tabs.length) % tabs.length];
      show(next);
      next.focus();
    });
  });
  show(tabs.find((tab) => tab.hash === location.hash) ?? tabs[0]);
  set.dataset.ready = "";
}

for (const el of $$("time[data-local]")) {
  const at = new Date(el.dateTime);
  if (Number.isNaN(at.getTime())) continue;
  const kind = el.dataset.local || "datetime";
  const shape = {};
  if (kind !== "time") shape.dateStyle = "medium";
  if (kind !== "date") shape.timeStyle = "short";
  el.textContent = new Intl.DateTimeFormat(document.documentElement.lang || undefined, shape).format(at);
  el.title = at.toISOString().replace("T", " ").replace(".000Z", " UTC");
}

on("[data-print]", "click", () => print());

on("form[data-busy]", "submit", (form, event) => {
  if (form.dataset.sent) { event.preventDefault(); return; }
  form.dataset.sent = "1";
  const label = event.submitter && labelOf(event.submitter);
  if (label) setTimeout(() => { label.textContent = form.dataset.busy; }, 1000);
});
addEventListener("pageshow", () => { for (const form of $$("form[data-sent]")) delete form.dataset.sent; }); // Back from the next page.

// Menus and the drawer close on Escape and on a click elsewhere; one menu is open at a time.
const close = (except) => $$("details.menu[open]").forEach((menu) => { if (menu !== except) menu.open = false; });
document.addEventListener("click", (event) => close(event.target.closest("details.menu")));
document.addEventListener("keydown", (event) => {
  if (event.key !== "Escape") return;
  const menu = document.querySelector("details.menu[open]");
  if (menu) {
    menu.open = false;
    menu.querySelector("summary").focus();
  } else if (location.hash === "#nav") {
    location.hash = "#main";
    document.querySelector(".nav-open")?.focus();
  }
});

$$("[data-focus]")[0]?.focus();
