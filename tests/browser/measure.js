// What one page is, measured inside it. Returns functions; each gives plain values back.
(() => {
  const SMALLEST = 44; // CSS pixels, WCAG 2.5.5
  const POINTED = "a[href], button, input:not([type=hidden]), select, textarea, summary";

  const path = (element) => {
    const own = element.id ? `#${element.id}` : element.tagName.toLowerCase() + (element.name ? `[name=${element.name}]` : "");
    const text = (element.innerText || element.value || "").trim().replace(/\s+/g, " ").slice(0, 30);
    const around = element.closest("[class]")?.getAttribute("class")?.split(" ")[0];
    return `${own}${around ? ` in .${around}` : ""}${text ? ` "${text}"` : ""}`;
  };
  const hidden = (element) => {
    if (!element.checkVisibility({ visibilityProperty: true, opacityProperty: true })) return true;
    const { width, height } = element.getBoundingClientRect();
    return width <= 1 || height <= 1 || getComputedStyle(element).clipPath !== "none";
  };
  const shown = (selector) => [...document.querySelectorAll(selector)].filter((each) => !hidden(each));

  // A link in a sentence may be as low as its line (the exception "inline").
  const inSentence = (element) => {
    if (getComputedStyle(element).display !== "inline") return false;
    let block = element.parentElement;
    while (block && getComputedStyle(block).display === "inline") block = block.parentElement;
    const links = [...block.querySelectorAll(POINTED)].map((each) => each.innerText).join("");
    return block.innerText.replace(/[\s\p{P}]+/gu, "").length > links.replace(/[\s\p{P}]+/gu, "").length;
  };
  const sizeOf = (element) => {
    const boxes = [element, ...(element.labels ?? [])].map((each) => each.getBoundingClientRect());
    const width = Math.max(...boxes.map((each) => each.right)) - Math.min(...boxes.map((each) => each.left));
    const height = Math.max(...boxes.map((each) => each.bottom)) - Math.min(...boxes.map((each) => each.top));
    return [width, height];
  };
  // What is drawn around it (a card, say) may take the press too: ask what lies under the edges of a box of the wanted size.
  const reachesOut = (element) => {
    element.scrollIntoView({ block: "center", behavior: "instant" });
    const own = [element, ...(element.labels ?? [])];
    const { left, top, width, height } = element.getBoundingClientRect();
    const [x, y, half] = [left + width / 2, top + height / 2, SMALLEST / 2 - 1];
    const hit = (across, down) => own.some((each) => each.contains(document.elementFromPoint(across, down)));
    const spans = (reach) => [...Array(SMALLEST).keys()].some((back) => reach(-back) && reach(SMALLEST - 1 - back));
    const wide = width >= SMALLEST || spans((by) => hit(x + by, y)) || (hit(x - half, y) && hit(x + half, y));
    const high = height >= SMALLEST || spans((by) => hit(x, y + by)) || (hit(x, y - half) && hit(x, y + half));
    return wide && high;
  };
  const smallTargets = () => {
    const small = shown(POINTED)
      .filter((each) => !inSentence(each))
      .map((each) => [each, ...sizeOf(each)])
      .filter(([, width, height]) => width < SMALLEST - 0.5 || height < SMALLEST - 0.5)
      .filter(([each]) => !reachesOut(each));
    scrollTo(0, 0);
    return small.map(([each, width, height]) => `${path(each)}: ${Math.round(width)}x${Math.round(height)}`);
  };

  const tooWide = () => {
    const room = document.documentElement.clientWidth;
    if (document.documentElement.scrollWidth <= room) return [];
    const out = [...document.body.querySelectorAll("*")].filter((each) => !hidden(each) && each.getBoundingClientRect().right > room + 1);
    return [`${document.documentElement.scrollWidth} px at ${room}: ${out.slice(-3).map(path).join("; ")}`];
  };

  // WCAG 1.4.12; a style sheet of the script's own is not touched by the page's policy.
  const spaceOut = () => {
    const sheet = new CSSStyleSheet();
    sheet.replaceSync(
      "* { line-height: 1.5 !important; letter-spacing: 0.12em !important; word-spacing: 0.16em !important } p { margin-bottom: 2em !important }",
    );
    document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  };
  const clipped = () =>
    [...document.body.querySelectorAll("*")]
      .filter((each) => !hidden(each) && !/^(INPUT|TEXTAREA|SELECT|IFRAME)$/.test(each.tagName) && each.innerText?.trim())
      .filter((each) => {
        const style = getComputedStyle(each);
        const across = /hidden|clip/.test(style.overflowX) && each.scrollWidth > each.clientWidth + 1;
        const down = /hidden|clip/.test(style.overflowY) && each.scrollHeight > each.clientHeight + 1;
        return across || down;
      })
      .map(path);

  const structure = () => {
    const html = document.documentElement;
    const inline = [...document.querySelectorAll("*")].filter(
      (each) =>
        each.hasAttribute("style") ||
        each.tagName === "STYLE" ||
        (each.tagName === "SCRIPT" && !each.src) ||
        [...each.attributes].some((one) => /^on/.test(one.name)),
    );
    return {
      title: document.title,
      language: html.lang,
      level: html.dataset.level ?? "",
      icon: document.querySelector("link[rel=icon]")?.href ?? "",
      headings: document.querySelectorAll("h1").length,
      landmarks: ["header", "main", "footer"].filter((each) => document.querySelectorAll(each).length !== 1),
      inline: inline.map(path),
      telephones: [...document.querySelectorAll("a[href^='tel:']")].filter((each) => !hidden(each)).map((each) => each.getAttribute("href")),
    };
  };

  // What only a script can do: count while one types, open the printer. The page says the same without.
  const BY_SCRIPT = "[data-counts], [data-print]";
  const text = () => {
    const extra = new Set([...document.querySelectorAll(BY_SCRIPT)].map((each) => each.innerText.trim()));
    const lines = (document.querySelector("main") ?? document.body).innerText.split("\n");
    return lines.filter((line) => !extra.has(line.trim()) || !line.trim()).join("\n");
  };
  const forms = () =>
    [...document.querySelectorAll("main form")].map((each) => `${each.getAttribute("action")} ${[...each.elements].map((one) => one.name).join(" ")}`);

  // Focus: how each element looks before it has it, and what has it now.
  const FOCUSABLE = `${POINTED}, [tabindex], iframe`;
  const marks = (element) => {
    const style = getComputedStyle(element);
    return [style.boxShadow, style.borderColor, style.backgroundColor, style.textDecorationLine, style.outlineStyle, style.outlineWidth].join("|");
  };
  const around = (element) => [element, ...(element.labels ?? []), element.parentElement, element.parentElement?.parentElement].filter(Boolean);
  const before = new Map();
  const rememberLooks = () =>
    document.querySelectorAll(FOCUSABLE).forEach((each) => around(each).forEach((one) => before.set(one, marks(one))));
  const focused = () => {
    const now = document.activeElement;
    if (!now || now === document.body || now === document.documentElement) return null;
    const rect = now.getBoundingClientRect();
    const inFrame = now.tagName === "IFRAME";
    const inner = inFrame ? now.contentDocument?.activeElement : null;
    const style = getComputedStyle(now);
    const outlined = style.outlineStyle !== "none" && parseFloat(style.outlineWidth) >= 1;
    const middle = [Math.min(rect.left + rect.width / 2, innerWidth - 1), Math.min(Math.max(rect.top + rect.height / 2, 0), innerHeight - 1)];
    const top = document.elementFromPoint(...middle);
    const covered = top && !now.contains(top) && !top.contains(now) && ![...(now.labels ?? [])].some((each) => each.contains(top));
    const numbers = [...document.querySelectorAll("*")];
    return {
      key: `${numbers.indexOf(now)}${inner ? `/${[...inner.ownerDocument.querySelectorAll("*")].indexOf(inner)}` : ""}`,
      name: path(now),
      visible: inFrame || outlined || around(now).some((each) => marks(each) !== before.get(each)),
      shown: rect.bottom > 0 && rect.top < innerHeight && rect.width > 0,
      covered: covered ? path(top) : "",
    };
  };

  return { smallTargets, tooWide, spaceOut, clipped, structure, text, forms, rememberLooks, focused };
})();
