// Runs in the page: clicks, and says how many milliseconds passed until the frame that shows what came of it.
globalThis.measureClick = async (selector) => {
  const began = performance.now();
  document.querySelector(selector).click();
  await new Promise((resolve) => requestAnimationFrame(() => requestAnimationFrame(resolve)));
  return performance.now() - began;
};
