"""Holds the crates that are built to deny.toml: licences, banned crates, sources.

For where cargo-deny itself is not there; it reads the same file, and less of it (no advisories).
"""

import json
import re
import subprocess
import sys
import tomllib


def allowed(expression: str, licences: set[str]) -> bool:
    """Whether an SPDX expression can be met with these licences."""
    words = re.findall(r"\(|\)|[^\s()/]+|/", expression)

    def either(at: int) -> tuple[bool, int]:
        value, at = both(at)
        while at < len(words) and words[at] in ("OR", "/"):
            other, at = both(at + 1)
            value = value or other
        return value, at

    def both(at: int) -> tuple[bool, int]:
        value, at = one(at)
        while at < len(words) and words[at] == "AND":
            other, at = one(at + 1)
            value = value and other
        return value, at

    def one(at: int) -> tuple[bool, int]:
        if words[at] == "(":
            value, at = either(at + 1)
            return value, at + 1
        if words[at + 1 : at + 2] == ["WITH"]:
            name = " ".join(words[at : at + 3])
            return name in licences or words[at] in licences, at + 3
        return words[at] in licences, at + 1

    return bool(words) and either(0)[0]


def main() -> int:
    with open("deny.toml", "rb") as file:
        rules = tomllib.load(file)
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    for target in rules.get("graph", {}).get("targets", []):
        command += ["--filter-platform", target]
    found = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    used = {node["id"] for node in found["resolve"]["nodes"]}
    licences = set(rules["licenses"]["allow"])
    clarified = {one["crate"]: one["expression"] for one in rules["licenses"].get("clarify", [])}
    banned = {one["crate"]: one.get("reason", "") for one in rules["bans"].get("deny", [])}
    problems = []
    for package in found["packages"]:
        if package["id"] not in used:
            continue
        name = f"{package['name']} {package['version']}"
        licence = clarified.get(package["name"]) or package["license"] or ""
        if not allowed(licence, licences):
            problems.append(f"{name}: the licence `{licence}` is not among those allowed")
        if package["name"] in banned:
            problems.append(f"{name} is banned: {banned[package['name']]}")
        if not (package["source"] or "registry+").startswith("registry+"):
            problems.append(f"{name} comes from {package['source']}, not from the registry")
    print("\n".join(problems) or f"{len(used)} crates: licences and sources are as deny.toml wants")
    return 1 if problems else 0


if __name__ == "__main__":
    sys.exit(main())
