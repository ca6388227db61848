// New messages without reloading. Without this file a link asks for them.
(() => {
  const talk = document.querySelector("[data-stream]");
  if (!talk || !window.EventSource) return;
  const list = talk.querySelector("ol");
  const status = document.querySelector("[data-status]");
  let last = Number(talk.dataset.last);
  const toEnd = () => { talk.scrollTop = talk.scrollHeight; };
  toEnd();
  document.querySelector("[data-ask-again]")?.setAttribute("hidden", "");

  const source = new EventSource(talk.dataset.stream);
  source.addEventListener("message", (event) => {
    const number = Number(event.lastEventId);
    if (number <= last) return;
    last = number;
    list.insertAdjacentHTML("beforeend", event.data);
    toEnd();
  });
  source.addEventListener("status", (event) => { status.innerHTML = event.data; });
  source.addEventListener("over", () => source.close());
})();
