// What moves on a page: pictures that follow their controls, and the search. It needs no server and no network.
for (const figure of document.querySelectorAll(".moves")) {
  const {starts, together, shown} = JSON.parse(figure.dataset.moves);
  const controls = [...figure.querySelectorAll("select, input")];
  const picture = figure.querySelector("img"), words = figure.querySelector("[role=status]");
  controls.forEach((control, moved) => control.addEventListener("input", () => {
    if (!together) controls.forEach((other, i) => { if (i !== moved) other.value = starts[i]; });
    for (const slider of figure.querySelectorAll("input")) {
      const name = JSON.parse(slider.dataset.values)[slider.value];
      slider.nextElementSibling.textContent = name;
      slider.setAttribute("aria-valuetext", name);
    }
    const [file, said] = shown[controls.map(control => control.value).join()];
    words.textContent = said;
    picture.hidden = !file;
    if (file) { picture.src = file; picture.alt = said; }
  }));
}

const contents = document.querySelector(".contents");
if (contents && window.matchMedia("(max-width: 78rem)").matches) contents.open = false;

const asked = document.querySelector("#search"), found = document.querySelector("#found");
let index = null;

function lookUp() {
  const words = asked.value.toLowerCase().split(/\s+/).filter(word => word.length > 1);
  const hits = [];
  for (const [page, anchor, lesson, heading, text] of words.length ? window.sections : []) {
    const title = heading.toLowerCase(), body = text.toLowerCase();
    if (!words.every(word => title.includes(word) || body.includes(word))) continue;
    const rank = words.filter(word => title.includes(word)).length;
    const at = Math.max(0, body.indexOf(words.find(word => body.includes(word)) ?? "") - 50);
    hits.push({rank, page, anchor, lesson, heading, text: text.slice(at, at + 140)});
  }
  hits.sort((one, other) => other.rank - one.rank);
  const items = hits.slice(0, 20).map(hit => {
    const item = document.createElement("li"), link = document.createElement("a"), about = document.createElement("p");
    link.href = hit.page + (hit.anchor ? "#" + hit.anchor : "");
    link.textContent = hit.lesson === hit.heading ? hit.lesson : `${hit.lesson}: ${hit.heading}`;
    about.textContent = `… ${hit.text} …`;
    item.append(link, about);
    return item;
  });
  found.querySelector("ul").replaceChildren(...items);
  const count = hits.length > 20 ? `20 of ${hits.length} places` : `${hits.length} place${hits.length === 1 ? "" : "s"}`;
  found.querySelector("[role=status]").textContent = words.length ? count : "";
  found.hidden = !words.length;
}

asked.addEventListener("input", () => {
  if (window.sections) return lookUp();
  if (index) return;
  index = document.createElement("script");
  index.src = "search.js";
  index.addEventListener("load", lookUp);
  document.head.append(index);
});
asked.addEventListener("keydown", event => {
  if (event.key === "Escape") { asked.value = ""; lookUp(); }
});
