// The quick exit at once, also by Esc three times. Without this file the button is an ordinary form post.
(() => {
  const form = document.querySelector("form[data-exit]");
  document.querySelector(".ds-error-summary")?.focus();
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

  let presses = 0;
  let last = -Infinity;
  addEventListener("keydown", (event) => {
    if (event.key !== "Escape") return void (presses = 0);
    presses = event.timeStamp - last < 1500 ? presses + 1 : 1;
    last = event.timeStamp;
    if (presses === 3) leave();
  });
})();
