// What somebody looks for who types into the field for profiles. Pure.

export type Meant =
  | { kind: "profile"; id: string }
  | { kind: "trait"; trait: string; value: string }
  | { kind: "identifier"; identifier: string };

/** A profile's id, `trait=value`, or an identifier; `type:value` is the identifier of that type. */
export function meant(typed: string): Meant {
  const text = typed.trim();
  if (/^(?:use|acc)_[A-Za-z0-9]{8,}$/.test(text)) return { kind: "profile", id: text };
  const trait = /^([A-Za-z_$][\w.$-]*)=(.*)$/s.exec(text);
  if (trait?.[1] && trait[2]) return { kind: "trait", trait: trait[1], value: trait[2] };
  const typedId = /^(?:user_id|anonymous_id|email|phone|group_id|ga_client_id|(?:ios|android)\.\w+):(.+)$/s.exec(text);
  return typedId ? { kind: "profile", id: text } : { kind: "identifier", identifier: text };
}
