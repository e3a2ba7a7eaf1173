"""What GitLab does with the text of a note before it shows it: quick actions run, people are notified.

A note's author wants neither from text that came out of a job log; so the double does both, by the same reading of
Markdown: nothing counts inside code (fenced, or in backticks) or in an HTML comment.
"""
from __future__ import annotations

import re

FENCE = re.compile(r" {0,3}(`{3,}|~{3,})")
COMMAND = re.compile(r"/(close|reopen|merge|approve|unapprove|assign|reassign|unassign|label|unlabel|relabel|title|"
                     r"lock|unlock|draft|ready|rebase|target_branch|milestone|todo|done|spend|estimate|award|react|"
                     r"submit_review|request_review|assign_reviewer|copy_metadata|subscribe|unsubscribe)(?:\s.*)?\Z")
MENTION = re.compile(r"(?<![\w/@`])@([A-Za-z0-9_][A-Za-z0-9_.\-]*)")
INLINE_CODE = re.compile(r"(?<!`)(`+)(?!`)(.+?)(?<!`)\1(?!`)")
COMMENT = re.compile(r"<!--.*?-->", re.DOTALL)


def read(body: str) -> tuple[str, list[str], list[str]]:
    """(what remains to be shown, quick actions, mentioned names)."""
    kept, commands, prose = [], [], []
    fence = ""
    masked = COMMENT.sub(lambda match: "\n" * match.group().count("\n"), body)
    for line, visible in zip(body.split("\n"), masked.split("\n")):
        marker = FENCE.match(line)
        if fence:
            kept.append(line)
            if marker and marker.group(1)[0] == fence[0] and len(marker.group(1)) >= len(fence) \
                    and not line[marker.end():].strip():
                fence = ""
        elif marker:
            fence = marker.group(1)
            kept.append(line)
        elif COMMAND.match(visible):
            commands.append(visible.strip())
        else:
            kept.append(line)
            prose.append(visible)
    mentions = MENTION.findall(INLINE_CODE.sub("", "\n".join(prose)))
    return "\n".join(kept), commands, list(dict.fromkeys(mentions))
