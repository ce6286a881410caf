const EVERY_MS = 100;

/**
 * Asks `attempt` until it returns without throwing, and gives its value; after
 * `withinMs` the last failure is the test's failure.
 */
export async function eventually(attempt, withinMs = 20_000) {
  const end = Date.now() + withinMs;
  for (;;) {
    try {
      return await attempt();
    } catch (error) {
      if (Date.now() >= end) throw error;
    }
    await new Promise((resolve) => setTimeout(resolve, EVERY_MS));
  }
}
