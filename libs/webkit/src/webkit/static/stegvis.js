// Makes quicker what works without: the way out, how much a field holds, that one isn't on the net, that something isn't sent.
(() => {
  document.querySelector(".ds-error-summary")?.focus();

  for (const note of document.querySelectorAll("[data-counts]")) {
    const field = document.getElementById(note.dataset.counts);
    const say = () => {
      const left = note.dataset.most - [...field.value.replaceAll("\r\n", "\n")].length;
      note.textContent = (left < 0 ? note.dataset.over : note.dataset.left).replace("{}", Math.abs(left));
      note.toggleAttribute("data-full", left < 0);
    };
    field.addEventListener("input", say);
    if (field.value) say();
  }

  const notice = document.querySelector(".notice");
  const tell = () => (notice.textContent = navigator.onLine ? "" : notice.dataset.offline);
  if (notice) for (const change of ["online", "offline"]) addEventListener(change, tell);

  // What was written goes with the page: the first press on a link says so, the second one goes.
  let warned = false;
  addEventListener("click", (event) => {
    const link = event.target.closest("a[href]:not([target=_blank], [href^='#'], [href^='tel'])");
    const written = [...document.querySelectorAll("main textarea")].some((field) => field.value.trim() !== field.defaultValue.trim());
    if (!link || warned || !notice || !written) return;
    event.preventDefault();
    warned = notice.textContent = notice.dataset.unsent;
  });

  // A form that is sent without net, or twice, loses what was written, or says it twice.
  let sending = null;
  addEventListener("submit", (event) => {
    if (event.target.method !== "post" || event.target.matches("[data-exit]")) return;
    if (!navigator.onLine || sending === event.target) event.preventDefault();
    else if (!event.defaultPrevented) sending = event.target;
    setTimeout(() => (sending = null), 3000);
  });
  addEventListener("pageshow", () => (sending = null));

  const form = document.querySelector("form[data-exit]");
  if (!form) return;

  const leave = () => {
    document.documentElement.hidden = true;
    document.title = " ";
    const ended = fetch(form.action, { method: "POST", keepalive: true, redirect: "manual" }).catch(() => {});
    const enough = new Promise((resolve) => setTimeout(resolve, 400));
    Promise.race([ended, enough]).then(() => location.replace(form.dataset.exit));
  };

  form.addEventListener("submit", (event) => {
    event.preventDefault();
    leave();
  });

  form.querySelector("button").title = form.dataset.keys;
  let presses = 0;
  let last = -Infinity;
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return void (presses = 0);
    presses = event.timeStamp - last < 1500 ? presses + 1 : 1;
    last = event.timeStamp;
    if (presses === 3) leave();
  });
})();
