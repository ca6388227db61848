// Offers to print the code. Without this file the browser's own menu does.
(() => {
  const offer = document.querySelector("[data-print]");
  if (!offer || !window.print) return;
  offer.hidden = false;
  offer.querySelector("button").addEventListener("click", () => print());
})();
