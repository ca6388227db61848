// Runs before the page's own scripts: what moved, and what the policy stopped.
window.stegvisSeen = { shift: 0, moved: [], stopped: [] };
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.hadRecentInput) continue;
    window.stegvisSeen.shift += entry.value;
    for (const { node } of entry.sources ?? []) window.stegvisSeen.moved.push(node?.nodeName + (node?.className ? `.${node.className}` : ""));
  }
}).observe({ type: "layout-shift", buffered: true });
document.addEventListener("securitypolicyviolation", (event) => {
  window.stegvisSeen.stopped.push(`${event.effectiveDirective} ${event.blockedURI} ${event.sample ?? ""}`.trim());
});
