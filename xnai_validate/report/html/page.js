"use strict";
for (const part of document.querySelectorAll("[data-share]")) part.style.flexGrow = part.dataset.share;
const input = document.getElementById("filter");
const found = document.getElementById("found");
const checks = [...document.querySelectorAll(".check")].map((node) => ({ node, text: node.querySelector("summary").textContent.toLowerCase() }));
input.addEventListener("input", () => {
  const words = input.value.toLowerCase().split(/\s+/).filter(Boolean);
  let count = 0;
  for (const { node, text } of checks) {
    node.hidden = !words.every((word) => text.includes(word));
    count += !node.hidden;
  }
  for (const category of document.querySelectorAll(".category")) {
    const any = category.querySelector(".check:not([hidden])") !== null;
    category.hidden = !any;
    category.open = any && words.length > 0;
  }
  found.textContent = words.length ? `${count} of ${checks.length}` : "";
});
function reveal() {
  const node = document.getElementById(decodeURIComponent(location.hash.slice(1)));
  if (node === null) return;
  for (let one = node; one !== null; one = one.parentElement) if (one.tagName === "DETAILS") one.open = true;
  node.scrollIntoView();
}
addEventListener("hashchange", reveal);
reveal();
