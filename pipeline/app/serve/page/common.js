// What the parts of the page share.

const LARGEST = 10_000_000; // bytes that the server takes

export const $ = (name) => document.getElementById(name);

export async function call(path, options = {}) {
  if (options.body?.size > LARGEST) throw new Error("A picture has at most 10 MB.");
  const response = await fetch(path, options).catch(() => {
    throw new Error("The server does not answer.");
  });
  if (!response.ok) {
    const told = await response.json().catch(() => ({ detail: response.statusText }));
    throw new Error(`${told.detail[0].toUpperCase()}${told.detail.slice(1)}.`);
  }
  return response.json();
}

/** Does something, and shows in one line what went wrong. */
export async function attempt(work) {
  try {
    await work();
    $("message").hidden = true;
  } catch (error) {
    $("message").textContent = error.message;
    $("message").hidden = false;
  }
}

export function element(tag, attributes = {}, ...children) {
  const made = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) made.setAttribute(name, value);
  made.append(...children);
  return made;
}

export function percent(fraction, digits = 1) {
  const shown = (100 * fraction).toFixed(digits);
  return `${Number(shown) === 100 ? "100" : shown} %`;
}
