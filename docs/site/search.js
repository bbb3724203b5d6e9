// SPDX-License-Identifier: MIT
// Searches the sections of all pages, without a server: index.js has their text, and is loaded at the first use.
const box = document.getElementById("query"), list = document.getElementById("found"), root = box.dataset.root;
let chosen = -1;

function load(then) {
  if (typeof pages !== "undefined") return then();
  const script = document.createElement("script");
  script.src = root + "/index.js";
  script.onload = then;
  document.head.append(script);
}

// How well a section answers the words: names before headings before text; 0 where a word is missing.
function score([title, head, , text], words) {
  let sum = title === "Reference" ? -0.5 : 0;
  for (const word of words) {
    const name = head.toLowerCase(), at = text.toLowerCase().indexOf(word);
    if (name === word) sum += 20;
    else if (name.startsWith(word)) sum += 9;
    else if (name.includes(word)) sum += 6;
    else if (title.toLowerCase().includes(word)) sum += 4;
    else if (at >= 0) sum += at < 200 ? 2 : 1;
    else return 0;
  }
  return sum;
}

function shown(text, word) {
  const at = Math.max(0, text.toLowerCase().indexOf(word) - 40);
  return (at ? "… " : "") + text.slice(at, at + 130);
}

function search() {
  const words = box.value.toLowerCase().replace(/hone::/g, "").split(/\s+/).filter(Boolean);
  list.replaceChildren();
  chosen = -1;
  list.hidden = !words.length;
  if (!words.length) return;
  const best = pages.map(page => [score(page, words), page]).filter(([sum]) => sum > 0).sort((a, b) => b[0] - a[0]).slice(0, 12);
  for (const [, [title, head, to, text]] of best) {
    const item = document.createElement("li"), link = document.createElement("a");
    const name = document.createElement("b"), where = document.createElement("span"), line = document.createElement("small");
    link.href = root + "/" + to;
    name.textContent = head;
    where.textContent = title === head ? "" : title;
    line.textContent = shown(text, words[0]);
    link.append(name, where, line);
    item.append(link);
    list.append(item);
  }
  if (!best.length) list.innerHTML = "<li><small>Nothing was found.</small></li>";
}

box.addEventListener("input", () => load(search));
box.addEventListener("keydown", event => {
  const all = list.querySelectorAll("a");
  if (event.key === "Escape") { box.value = ""; load(search); box.blur(); }
  if (event.key === "Enter" && all.length) all[Math.max(chosen, 0)].click();
  if (event.key !== "ArrowDown" && event.key !== "ArrowUp") return;
  event.preventDefault();
  chosen = Math.min(Math.max(chosen + (event.key === "ArrowDown" ? 1 : -1), 0), all.length - 1);
  all.forEach((link, i) => link.classList.toggle("chosen", i === chosen));
});
document.addEventListener("keydown", event => {
  if (event.key === "/" && !/input|textarea/i.test(document.activeElement.tagName)) { event.preventDefault(); box.focus(); }
});
const parts = document.querySelector("aside details");  // what is on this page: open where it stands beside the text
if (parts && innerWidth <= 1180) parts.open = false;
document.addEventListener("click", event => { if (!event.target.closest(".search")) list.hidden = true; });
