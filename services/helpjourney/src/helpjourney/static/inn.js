// A scanned code: what stands after # never reaches a server by itself, so it is sent as a form, and forgotten.
(() => {
  const form = document.getElementById("inn-scanned");
  const scanned = decodeURIComponent(location.hash.slice(1));
  if (!form || !scanned) return;
  history.replaceState(null, "", location.pathname);
  form.elements.namedItem(/^[A-Za-z0-9_-]{43}$/.test(scanned) ? "secret" : "code").value = scanned.slice(0, 60);
  form.submit();
})();
