/** What the arguments of a call mean. The rules are Segment's: most may be left out, and are told apart by their kind. */
import type { Callback, CallOptions, Fields, Group, User } from "./types.js";
import { idText, isFunction, isObject, isText } from "./values.js";

/** The fields of the event, and what was said beside them. */
export interface Said {
  /** In the order in which listeners to the call hear them. */
  fields: Fields;
  options: CallOptions;
  callback: Callback | undefined;
}

export type Args = readonly unknown[];

export const objectOr = (value: unknown): Fields => (isObject(value) ? value : {});
export const callbackOf = (args: Args): Callback | undefined => args.find(isFunction) as Callback | undefined;

/** `(event, properties?, options?)` or `({event, properties}, options?)`. */
export function trackSaid(args: Args): Said {
  const [first, second, third] = args;
  const [event, properties, options] = isObject(first) ? [first["event"], first["properties"], second] : args;
  if (!event || !isText(event)) throw new Error("Event missing");
  return {
    fields: { event, properties: objectOr(properties) },
    options: objectOr(options ?? third),
    callback: callbackOf(args),
  };
}

/** `(category?, name?, properties?, options?)`: one text is the name. */
export function pageSaid(args: Args): Said {
  const texts = args.filter(isText);
  const objects = args.filter(isObject);
  const name = texts.length > 1 || isText(args[1]) ? args[1] : texts[0];
  const lone = objects.length === 1 && objects[0] === args[3];
  return {
    fields: { category: texts.length > 1 ? args[0] : undefined, name, properties: { ...(lone ? {} : objects[0]) } },
    options: objectOr(objects[lone ? 0 : 1]),
    callback: callbackOf(args),
  };
}

/** `(id?, traits?, options?)`: an id that is left out is the one that is known. What is told of it is added to what is known. */
export function whoSaid(args: Args, idField: "userId" | "groupId", entity: User | Group): Said {
  const rest = isObject(args[0]) || isFunction(args[0]) ? args : args.slice(1);
  entity.identify(rest === args ? undefined : idText(args[0]), objectOr(rest[0]));
  return { fields: { [idField]: entity.id() ?? undefined, traits: entity.traits() }, options: objectOr(rest[1]), callback: callbackOf(args) };
}
