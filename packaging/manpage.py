"""Writes the manual page of a program from what its --help says, commands and their commands included.

Usage: manpage.py PROGRAM SECTION VERSION, to standard output.
"""
from __future__ import annotations

import pathlib
import re
import subprocess
import sys

NAMES = {
    "gitaiops": "explains why a CI job failed",
    "gitaiops-agent": "sees the jobs of GitLab Runner on this host",
    "gitaiops-observer": "looks at runner processes for gitaiops-agent",
    "gitaiops-controller": "keeps what the agents report, and tells people",
}
FILES = {
    "gitaiops-agent": {"/etc/gitaiops/agent.toml": "The configuration; gitaiops-agent sample-config prints it with all keys.",
                       "/var/lib/gitaiops-agent": "Identity (key and certificate), and the spool of reports that are not acknowledged yet."},
    "gitaiops-controller": {"/etc/gitaiops/controller.toml": "The configuration; gitaiops-controller sample-config prints it with all keys.",
                            "/var/lib/gitaiops-controller": "The database, and in pki the certificate authority of the agents."},
}
EXIT = {"0": "Done, or nothing to report.", "1": "It failed; for diagnose: something was found.", "2": "The command line, the configuration or another input is wrong; the message names the place."}
EXIT_OBSERVER = {"0": "Stopped.", "2": "The command line is wrong.", "70": "The privileges cannot be given up, or the agent cannot be started.", "72": "There is no such program to start."}
EXIT_AGENT = {"69": "doctor: something keeps the agent from its work."}


def escape(text: str) -> str:
    text = text.replace("\\", "\\e").replace("-", "\\-")
    return "\\&" + text if text[:1] in ".'" else text


def help_of(program: str, words: list[str]) -> list[str]:
    done = subprocess.run([program, *words, "--help"], capture_output=True, text=True, check=True)
    return done.stdout.replace(program, pathlib.Path(program).name).splitlines()


def entries(lines: list[str]) -> list[tuple[str, str]]:
    """Indented two spaces: a term, and its words beside or below it, further indented."""
    found: list[tuple[str, str]] = []
    for line in lines:
        if re.match(r"  \S", line):
            term, _, words = line.strip().partition("  ")
            found.append((term, words.strip()))
        elif line.startswith("   ") and found:
            found[-1] = (found[-1][0], (found[-1][1] + " " + line.strip()).strip())
    return found


def sections(lines: list[str]) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {"": []}
    heading = ""
    for line in lines:
        if re.fullmatch(r"[A-Z]\w+:", line):
            heading = line[:-1]
            found[heading] = []
        else:
            found[heading].append(line)
    return found


def described(found: list[tuple[str, str]]) -> list[str]:
    return [text for term, words in found for text in (".TP", f"\\fB{escape(term)}\\fR", escape(words))]


def commands(program: str, words: list[str], parts: dict[str, list[str]]) -> list[str]:
    """Each command that does something, with its options; `words` lead to the command that `parts` is the help of."""
    out: list[str] = []
    for name, _ in entries(parts.get("Subcommands", [])):
        path = [*words, name]
        inner = sections(help_of(program, path))
        if "Subcommands" in inner:
            out += commands(program, path, inner)
            continue
        options = [e for e in entries(inner.get("Options", [])) if not e[0].startswith("-h,")]
        positionals = entries(inner.get("Positionals", []))
        terms = "".join(f" {name.split()[0].upper()}" for name, _ in positionals)
        out += [f".SS {escape(' '.join(path) + terms)}", escape(" ".join(line.strip() for line in inner[""] if not line.startswith("Usage:")).strip())]
        out += described(positionals) + described(options)
    return out


def page(program: str, section: str, version: str) -> str:
    name = pathlib.Path(program).name
    lines = help_of(program, [])
    parts = sections(lines)
    out = [f'.TH {name.upper()} {section} "" "GitAIOps {version}"', ".SH NAME", f"{escape(name)} \\- {escape(NAMES[name])}", ".SH SYNOPSIS"]
    if "Subcommands" in parts:
        out += [f"\\fB{escape(name)}\\fR \\fICOMMAND\\fR [\\fIOPTIONS\\fR]", ".SH COMMANDS", *commands(program, [], parts)]
    else:
        usage = [line for line in lines if line.startswith(("usage:", "    ")) and not line.strip().startswith("an ")]
        out += [".nf", *(escape(line.removeprefix("usage: ").strip()) for line in usage if "gitaiops" in line or "[" in line), ".fi"]
        out += [".SH DESCRIPTION", *(escape(line) for line in lines if line[:1].isupper()), ".SH OPTIONS", *described(entries([l for l in lines if l not in usage]))]
    statuses = EXIT_OBSERVER if name == "gitaiops-observer" else {**EXIT, **(EXIT_AGENT if name == "gitaiops-agent" else {})}
    out += [".SH EXIT STATUS", *described(list(statuses.items()))]
    if name in FILES:
        out += [".SH FILES", *described(list(FILES[name].items()))]
    others = [f"\\fB{escape(other)}\\fR({1 if other == 'gitaiops' else 8})" for other in NAMES if other != name]
    out += [".SH SEE ALSO", ", ".join(others)]
    return "\n".join(out) + "\n"


if __name__ == "__main__":
    sys.stdout.write(page(*sys.argv[1:4]))
