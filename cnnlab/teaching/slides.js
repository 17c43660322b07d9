// Space, the arrows and the page keys go through the slides step by step; S shows the speaker's notes.
const slides = [...document.querySelectorAll("section")];
const place = document.getElementById("place");
let slide = 0, step = 1;

function fit(section) {
  const inside = section.querySelector(".fit");
  inside.style.transform = "none";
  const room = section.clientHeight - 40;
  const scale = Math.min(1.4, room / inside.scrollHeight, (section.clientWidth - 40) / inside.scrollWidth);
  inside.style.transform = `scale(${scale})`;
}

function show() {
  slides.forEach((section, i) => section.classList.toggle("now", i === slide));
  const steps = [...slides[slide].querySelectorAll(".step")];
  steps.forEach((part, i) => part.classList.toggle("shown", i < step));
  fit(slides[slide]);
  place.textContent = `${slide + 1} of ${slides.length}`;
  history.replaceState(null, "", `#${slide + 1}`);
}

function go(forward) {
  const steps = slides[slide].querySelectorAll(".step").length;
  if (forward && step < steps) step += 1;
  else if (!forward && step > 1) step -= 1;
  else if (forward && slide + 1 < slides.length) { slide += 1; step = 1; }
  else if (!forward && slide > 0) { slide -= 1; step = slides[slide].querySelectorAll(".step").length; }
  show();
}

addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  const forward = [" ", "ArrowRight", "ArrowDown", "PageDown", "Enter"].includes(event.key) && !event.shiftKey;
  const back = ["ArrowLeft", "ArrowUp", "PageUp", "Backspace"].includes(event.key) || (event.key === " " && event.shiftKey);
  if (forward || back) { event.preventDefault(); go(forward); }
  if (event.key === "Home") { slide = 0; step = 1; show(); }
  if (event.key === "End") { slide = slides.length - 1; step = 1; show(); }
  if (event.key.toLowerCase() === "s") document.body.classList.toggle("speaking");
});
addEventListener("click", (event) => { if (!event.target.closest("a, summary")) go(true); });
addEventListener("resize", () => fit(slides[slide]));
addEventListener("load", () => {
  slide = Math.min(slides.length, Math.max(1, parseInt(location.hash.slice(1)) || 1)) - 1;
  show();
});
