// Tables and blocks of code that scroll can be reached by the keyboard (WCAG 2.1.1), and each navigation and the search have a name of their own.
(() => {
  const taken = new Map();
  const label = (part) => document.getElementById(part.getAttribute("aria-labelledby"))?.textContent.trim();
  const adapt = () => {
    for (const part of document.querySelectorAll(".md-typeset__scrollwrap, .md-typeset pre > code")) part.tabIndex = 0;
    for (const part of document.querySelectorAll("[role=dialog]:not([aria-label])")) part.setAttribute("aria-label", "Search");
    for (const part of document.querySelectorAll("nav:not([data-named])")) {
      const name = part.getAttribute("aria-label") || label(part) || (part.matches(".md-code__nav") ? "Code" : "Pages");
      taken.set(name, (taken.get(name) ?? 0) + 1);
      part.setAttribute("aria-label", taken.get(name) > 1 ? `${name} ${taken.get(name)}` : name);
      part.removeAttribute("aria-labelledby");
      part.dataset.named = "";
    }
  };
  new MutationObserver(adapt).observe(document.body, { childList: true, subtree: true });
  adapt();
})();
