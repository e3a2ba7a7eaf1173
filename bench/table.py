"""Rows of the table that `./dev bench` collects, as bench.h prints them, for the measuring programs in Python."""
from __future__ import annotations

import os

missed = False


def setting(name: str, otherwise: float) -> float:
    """A number from the environment, for shorter or longer runs."""
    return float(os.environ.get(name, otherwise))


def row(what: str, figure: float, unit: str, most: float) -> None:
    global missed
    missed |= figure > most
    _print(what, figure, unit, f"at most {most:g} {unit}", "MISSED" if figure > most else "ok")


def fact(what: str, figure: float, unit: str) -> None:
    """Read beside the others; it has no target."""
    _print(what, figure, unit, "", "")


def _print(what: str, figure: float, unit: str, target: str, word: str) -> None:
    digits = 2 if figure < 10 else 1 if figure < 100 else 0
    print(f"| {what} | {figure:.{digits}f} {unit} | {target} | {word} |", flush=True)
