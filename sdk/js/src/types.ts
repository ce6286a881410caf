/** What the SDK is told, what it makes of it, and what plugins see. Nothing here is left of it at run time. */

export type Fields = Record<string, unknown>;

/** The six calls. */
export type EventType = "identify" | "track" | "page" | "screen" | "group" | "alias";

/** An event as it is sent. */
export interface SdkEvent {
  type: EventType;
  messageId: string;
  timestamp: string;
  anonymousId?: string | undefined;
  userId?: string | undefined;
  event?: string;
  name?: string;
  category?: string;
  groupId?: string | undefined;
  previousId?: string | undefined;
  properties?: Fields | undefined;
  traits?: Fields;
  context: Fields;
  integrations: Fields;
}

/** What one call says beside its own arguments. What is none of these becomes part of `context`. */
export interface CallOptions extends Fields {
  context?: Fields;
  integrations?: Fields;
  timestamp?: Date | string;
  userId?: string;
  anonymousId?: string;
  messageId?: string;
}

/** An event that was made. */
export interface Context {
  readonly id: string;
  event: SdkEvent;
}

/** An event on its way through plugins, which may change it. */
export interface PluginContext extends Context {
  /** Sets a field by a path with dots. */
  updateEvent(path: string, value: unknown): SdkEvent;
  /** Ends the way of this event: it is not sent. */
  cancel(): never;
}

export type Callback = (context: Context | undefined) => void;

/** What `analytics.register` takes; the shape is Segment's. */
export interface Plugin {
  name: string;
  type: "before" | "enrichment" | "destination" | "after" | "utility";
  version?: string;
  isLoaded?(): boolean;
  load?(context: undefined, analytics: Analytics): unknown;
  unload?(context: undefined, analytics: Analytics): unknown;
  identify?(context: PluginContext): unknown;
  track?(context: PluginContext): unknown;
  page?(context: PluginContext): unknown;
  screen?(context: PluginContext): unknown;
  group?(context: PluginContext): unknown;
  alias?(context: PluginContext): unknown;
}

/** What a middleware gets; `next(null)` stops the event. */
export interface MiddlewareCall {
  payload: { obj: SdkEvent; type(): EventType };
  next(payload: { obj: SdkEvent } | null): void;
  integrations?: Fields;
  /** The destination, for a middleware of one. */
  integration?: string;
}

export type Middleware = (call: MiddlewareCall) => unknown;

/** Whether events may be kept and sent. `pending` holds them in memory and writes nothing to the browser. */
export type Consent = "granted" | "pending" | "denied";

export interface CookieOptions {
  /** Days. */
  maxage?: number;
  domain?: string;
  path?: string;
  sameSite?: string;
  secure?: boolean;
}

/** Under which names an identity is kept; the defaults are Segment's. */
export interface KeyOptions {
  cookie?: { key?: string };
  localStorage?: { key?: string };
}

/** Where events go and which source they are of. */
export interface Settings {
  writeKey: string;
  /** The server, as `https://cdp.example.com`. */
  host?: string;
  /** The same under Segment's name. */
  cdnURL?: string;
}

export interface Options {
  /** Segment's place for another API host: `{"Segment.io": {apiHost, protocol}}`; names of tools to leave out: `{Slack: false}`. */
  integrations?: Fields;
  /** Nothing is done at all. */
  disable?: boolean;
  /** Identities and events are kept in memory only: no cookie, no local storage. */
  disableClientPersistence?: boolean;
  cookie?: CookieOptions;
  user?: KeyOptions;
  group?: KeyOptions;
  /** A page call on load. */
  initialPageview?: boolean;
  /** Whether `?ajs_uid=`, `?ajs_aid=` and `?ajs_event=` are read; which values, by patterns. */
  useQueryString?: boolean | { aid?: RegExp; uid?: RegExp };
  /** What is known of the visitor's consent when the page loads. */
  consent?: Consent;
  /** An identity token for every event. */
  identityToken?: string;
  /** How long events wait for others, in milliseconds. */
  flushInterval?: number;
  /** How many calls a second, and ten times as many at once; 20 by default, 0 for no limit. */
  flood?: number;
  /** Lazy modules by name, with their options: `{sessions: true, autocapture: {clicks: true}}`. */
  modules?: Record<string, unknown>;
}

/** What the server tells a page of its own visitor. */
export interface VisitorProfile {
  audiences: Record<string, boolean>;
  traits: Fields;
}

/** Who somebody is, in this browser. `null` removes. */
export interface User {
  id(id?: string | null): string | null;
  anonymousId(id?: string | null): string;
  traits(traits?: Fields | null): Fields;
  identify(id?: string | null, traits?: Fields): void;
  logout(): void;
  reset(): void;
}

export interface Group {
  id(id?: string | null): string | null;
  traits(traits?: Fields | null): Fields;
  properties(traits?: Fields | null): Fields;
  identify(id?: string | null, traits?: Fields): void;
  logout(): void;
  reset(): void;
}

type Sent = Promise<Context | undefined>;
export type Elements = Element | null | ArrayLike<Element> | { toArray(): Element[] };
/** Something, or what it is for an element. */
export type Of<T> = T | ((element: Element) => T);

/** The SDK. Every function can be taken off the object and called alone. */
export interface Analytics {
  readonly VERSION: string;
  readonly initialized: true;
  readonly settings: Settings;
  readonly options: Options;

  /** Each resolves when the event is in the queue: it is safe then, over a crash of the tab too. */
  track(event: string | (Fields & { event: string; properties?: Fields }), properties?: Fields | Callback, options?: CallOptions | Callback, callback?: Callback): Sent;
  page(category?: string | Fields | Callback, name?: string | Fields | Callback, properties?: Fields | Callback, options?: CallOptions | Callback, callback?: Callback): Sent;
  screen(category?: string | Fields | Callback, name?: string | Fields | Callback, properties?: Fields | Callback, options?: CallOptions | Callback, callback?: Callback): Sent;
  identify(id?: string | number | Fields | null, traits?: Fields | Callback | null, options?: CallOptions | Callback, callback?: Callback): Sent;
  group(): Group;
  group(id: string | number | Fields | null, traits?: Fields | Callback | null, options?: CallOptions | Callback, callback?: Callback): Sent;

  user(): User;
  setAnonymousId(id?: string | null): string;
  /** Forgets user and group: the next event is of somebody new. */
  reset(): void;

  /** Sends what waits now, and resolves when the server has answered. */
  flush(): Promise<void>;
  /** What the server says of this visitor: audiences and traits that were marked public. */
  profile(): Promise<VisitorProfile>;
  /** A token that proves who the user is, for the events that follow; `null` to stop. */
  setIdentityToken(token: string | null): void;
  /** Says what the visitor agreed to; `categories` become `context.consent.categoryPreferences`. */
  consent(state: Consent, categories?: Record<string, boolean>): void;

  ready(callback?: () => void): Promise<void>;
  on(name: string, listener: (...args: never[]) => void): Analytics;
  once(name: string, listener: (...args: never[]) => void): Analytics;
  off(name: string, listener: (...args: never[]) => void): Analytics;
  emit(name: string, ...args: unknown[]): Analytics;

  addSourceMiddleware(middleware: Middleware): Analytics;
  /** Gives the SDK to a function: how lazy modules are installed. */
  use(install: (analytics: Analytics) => unknown): Analytics;

  // What follows comes with a module of its own, when the first of them is called; calls wait for it.
  alias(to: string | number, from?: string | number | CallOptions | Callback, options?: CallOptions | Callback, callback?: Callback): Promise<void>;
  register(...plugins: Plugin[]): Promise<void>;
  deregister(...names: string[]): Promise<void>;
  addDestinationMiddleware(name: string, ...middlewares: Middleware[]): Promise<void>;
  addIntegrationMiddleware(middleware: Middleware): Promise<void>;
  trackLink: TrackElements;
  trackClick: TrackElements;
  trackForm: TrackElements;
  trackSubmit: TrackElements;
  pageview(url?: string): Promise<void>;
  /** Of Segment's API; there is nothing to debug or to wait for. */
  debug(on?: boolean): Promise<void>;
  timeout(ms?: number): Promise<void>;
}

export type TrackElements = (elements: Elements, event: Of<string>, properties?: Of<Fields>, options?: CallOptions) => Promise<void>;

/** A lazy module: what `use` takes. */
export type Install = (analytics: Analytics) => unknown;
