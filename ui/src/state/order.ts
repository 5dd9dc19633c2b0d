/**
 * The core's order of names (`core/src/order.rs`): as people count, without case. What the page puts
 * in its place then stands where the core's next snapshot has it.
 */
export function byName(a: string, b: string): number {
  return compare(key(a), key(b)) || compare(a, b);
}

function compare(a: string, b: string): number {
  return a === b ? 0 : a < b ? -1 : 1;
}

/** A text whose plain order is the wanted one: before each number stands how many digits it has. */
function key(name: string): string {
  const plain = name.replace(/[A-Z]/g, (letter) => letter.toLowerCase());
  return plain.replace(/[0-9]+/g, (digits) => {
    const number = digits.replace(/^0+/, "");
    return String.fromCharCode("0".charCodeAt(0) + number.length) + number;
  });
}
