// Chats and queues as they change, a sign while one writes, sending without leaving the page.
// Without this file pages and frames renew themselves, and forms are sent as forms.
// It stands in the head and isn't deferred: what only those without it need (chat.css) is never shown, so that nothing moves.
if (window.EventSource) document.documentElement.dataset.script = "";

// What one presses goes first, for as long as a bad net needs: nothing here may lead elsewhere meanwhile.
// "Forlat siden" hides the page, and ends the talk too: its end must not lead back here.
let pressed;
const goes = () => pressed && !pressed.defaultPrevented && performance.now() - pressed.timeStamp < 20000;
const leaving = () => document.documentElement.hidden || goes();
for (const way of ["submit", "click"]) addEventListener(way, (event) => {
  const leadsOn = way === "submit" || event.target.closest('a[href^="/"], a[href^="http"]');
  if (leadsOn && !goes()) pressed = event;
});

addEventListener("load", () => {
  const page = document.querySelector("[data-stream]");
  if (!page || !window.EventSource) return;
  if (page.hasAttribute("data-renews")) window.stop(); // the header's renewal: the stream does it now

  const all = (what) => document.querySelectorAll(what);
  const lost = document.querySelector("[data-lost]");

  const pieces = (html) => Object.assign(document.createElement("template"), { innerHTML: html }).content;
  const mark = () => { if (document.hidden) document.title = "• " + document.title.replace("• ", ""); };
  document.addEventListener("visibilitychange", () => { if (!document.hidden) document.title = document.title.replace("• ", ""); });

  const ways = {
    replace: (part, html) => {
      const focused = part.contains(document.activeElement) && document.activeElement.getAttribute("href");
      part.innerHTML = html;
      if (focused) part.querySelector(`[href="${CSS.escape(focused)}"]`)?.focus();
    },
    append: (list, html) => {
      const item = pieces(html).firstElementChild;
      const number = Number(item.dataset.number);
      if (number <= Number(list.dataset.last)) return;
      list.dataset.last = number;
      list.append(item);
      mark();
    },
    // A queue: rows that stay are left alone, so that whoever is about to press doesn't press another one.
    rows: (part, html) => {
      const fresh = pieces(html);
      const body = part.querySelector("tbody"), wanted = fresh.querySelector("tbody");
      if (!body || !wanted) return void (part.innerHTML = html);
      const held = body.contains(document.activeElement);
      const had = new Map([...body.rows].map((row) => [row.dataset.row, row]));
      body.replaceChildren(...[...wanted.rows].map((row) => {
        const old = had.get(row.dataset.row);
        if (!old) return row;
        old.querySelector("[data-waited]").replaceWith(row.querySelector("[data-waited]"));
        return old;
      }));
      if (held && !body.contains(document.activeElement)) (part.querySelector("[tabindex]") || part).focus();
    },
  };

  const leadOn = () => {
    if (leaving()) return void setTimeout(leadOn, 1000);
    const unsent = [...all("form[data-send] textarea")].some((area) => area.value.trim());
    if (page.dataset.then && !unsent) location.replace(page.dataset.then);
  };

  let tries = 0;
  const listen = () => {
    const source = new EventSource(page.dataset.stream);
    source.onopen = () => { tries = 0; lost?.setAttribute("hidden", ""); };
    source.onerror = () => {
      tries += 1;
      if (tries > 1) lost?.removeAttribute("hidden");
      if (source.readyState !== EventSource.CLOSED) return;
      if (tries > 4 && page.hasAttribute("data-renews") && !leaving()) return void location.reload();
      if (tries < 40) setTimeout(listen, Math.min(1000 * tries, 10000));
    };
    all("[data-on]").forEach((part) => {
      source.addEventListener(part.dataset.on, (event) => ways[part.dataset.how || "replace"](part, event.data));
    });
    source.addEventListener("over", () => {
      source.close();
      mark();
      leadOn();
    });
  };
  listen();

  const newKey = () => btoa(String.fromCharCode(...crypto.getRandomValues(new Uint8Array(32)))).replaceAll("+", "-").replaceAll("/", "_").replace("=", "");
  const post = (address, fields) => fetch(address, { method: "POST", body: new URLSearchParams(fields), redirect: "manual" });

  all("form[data-send]").forEach((form) => {
    const area = form.querySelector("textarea");
    let sending = false;
    let told = -Infinity;
    form.addEventListener("submit", async (event) => {
      event.preventDefault();
      if (sending) return;
      sending = true;
      const text = area.value;
      try {
        const answer = await post(form.action, new FormData(form));
        if (leaving()) return;
        if (answer.type !== "opaqueredirect") return void form.submit(); // the page says what is wrong and keeps the text
        if (area.value === text) area.value = "";
        form.elements.key.value = newKey();
        told = -Infinity;
        lost?.setAttribute("hidden", "");
        all(".ds-error-summary, .ds-validation-message").forEach((wrong) => wrong.remove()); // it was about what is sent now
        area.removeAttribute("aria-invalid");
        area.focus();
      } catch {
        lost?.removeAttribute("hidden"); // the same key once more sends it once
      } finally {
        sending = false;
      }
    });
    area.addEventListener("keydown", (event) => {
      if (event.key === "Enter" && (event.ctrlKey || event.metaKey)) form.requestSubmit();
    });
    area.addEventListener("input", (event) => {
      if (event.timeStamp - told < 3000 || !form.dataset.typing) return;
      told = event.timeStamp;
      post(form.dataset.typing, { csrf: form.elements.csrf.value, key: newKey() }).catch(() => {});
    });
  });
});
