// The kinds of functions, and code to begin with.
import type { Shown } from "../../lib/api.ts";

export const KINDS: Record<Shown["FunctionShown"]["kind"], { name: string; means: string; code: string }> = {
  source: {
    name: "source",
    means: "Makes events of requests that come to an address of its own.",
    code: `async function onRequest(request, settings) {
  const body = request.json();
  Segment.track({ event: body.kind, userId: body.customer, properties: body });
}
`,
  },
  insert: {
    name: "in front of a destination",
    means: "Changes or drops what a destination gets.",
    code: `async function onTrack(event, settings) {
  delete event.properties.internal_note;
  return event;
}
`,
  },
  destination: {
    name: "destination",
    means: "Is a destination: it makes the requests itself.",
    code: `async function onTrack(event, settings) {
  const response = await fetch("https://example.com/events", {
    method: "POST",
    headers: { "content-type": "application/json" },
    body: JSON.stringify(event),
  });
  if (response.status >= 500) throw new RetryError("it is not there: " + response.status);
}
`,
  },
};
