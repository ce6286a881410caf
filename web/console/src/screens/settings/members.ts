// What the server says of members and of the audit log.

export interface Page<T> {
  data: T[];
  next?: string | null;
}

export interface Member {
  id: string;
  email: string;
  name: string;
  role: string;
  has_password: boolean;
  created: string;
  signed_in: string | null;
  sessions: number;
}

export interface Invited {
  member: Member;
  link: string;
  until: string;
}

export interface Done {
  at: string;
  who: string;
  name: string | null;
  operation: string;
  target: string;
  address: string;
  status: number;
  result: "done" | "refused" | "failed";
}

/** The roles, with what each is for. */
export const ROLES: readonly [role: string, means: string][] = [
  ["owner", "everything, other owners too"],
  ["admin", "everything but owners"],
  ["editor", "sets up sources, destinations and audiences, undoes merges"],
  ["analyst", "looks at events and people, builds audiences"],
  ["viewer", "sees how things are, not who people are"],
  ["privacy_officer", "looks at people, sets apart, reads the audit log"],
];
