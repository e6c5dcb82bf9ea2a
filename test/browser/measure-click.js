// Runs in the page: clicks, and says how many milliseconds passed until the screen showed what came of it.
globalThis.measureClick = async (selector, shown) => {
  const began = performance.now();
  document.querySelector(selector).click();
  do await new Promise(requestAnimationFrame);
  while (!document.querySelector(shown));
  // What is there in one frame is on the screen when the next one begins.
  await new Promise(requestAnimationFrame);
  return performance.now() - began;
};
