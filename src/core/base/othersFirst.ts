/** Lets whoever waits for this thread come first: requests, and what the network has brought. */
export function othersFirst(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
