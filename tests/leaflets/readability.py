"""Readability of our texts: Flesch-Kincaid and SMOG in English, Fernandez Huerta and INFLESZ in Spanish.

How it counts, so that nobody has to trust a number: headings are left out; each bullet and each sentence is a
sentence; placeholders are filled with the neutral care names; no name of a disease or medicine is taken out. English
syllables are the larger of two counts (hyphenation by pyphen, groups of vowels), so a score is rather too hard than
too easy. Spanish syllables are counted by the rules of its spelling (pyphen's Spanish dictionary does not split all
of them). The formulas see short words and short sentences, not whether a text can be understood.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass
from functools import lru_cache

import pyphen

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_STRONG, _WEAK, _ACCENTED_WEAK = "aeoáéó", "iuü", "íú"


@dataclass(frozen=True)
class Counts:
    words: int
    sentences: int
    syllables: int
    polysyllables: int


def sentences(markdown: str) -> list[str]:
    """The sentences of our Markdown: no headings, each bullet on its own."""
    found: list[str] = []
    for block in re.split(r"\n(?=- )|\n\n+", re.sub(r"^#+ .*$", "", markdown, flags=re.MULTILINE)):
        text = " ".join(block.replace("**", "").removeprefix("- ").split())
        text = re.sub(r"^\[[a-z, -]+\] ", "", text)
        found += [piece for piece in re.split(r"(?<=[.!?:])[\"»”]?\s+", text) if _WORD.search(piece)]
    return found


def count(markdown: str, language: str) -> Counts:
    pieces = sentences(markdown)
    words = [word for piece in pieces for word in _WORD.findall(piece)]
    syllables = [(english_syllables if language == "en" else spanish_syllables)(word) for word in words]
    return Counts(len(words), len(pieces), sum(syllables), sum(n >= 3 for n in syllables))


def flesch_kincaid(counts: Counts) -> float:
    """US school grade."""
    return 0.39 * counts.words / counts.sentences + 11.8 * counts.syllables / counts.words - 15.59


def smog(counts: Counts) -> float:
    """US school grade; meant for 30 sentences and more, so a rough hint for a leaflet."""
    return 1.0430 * math.sqrt(counts.polysyllables * 30 / counts.sentences) + 3.1291


def fernandez_huerta(counts: Counts) -> float:
    """0 to 100, higher is easier: 70 to 80 is grade 6, 60 to 70 is grades 7 and 8."""
    return 206.84 - 60 * counts.syllables / counts.words - 1.02 * counts.words / counts.sentences


def inflesz(counts: Counts) -> float:
    """Szigriszt-Pazos, 0 to 100, higher is easier: 65 to 80 is "quite easy", 55 to 65 "normal"."""
    return 206.835 - 62.3 * counts.syllables / counts.words - counts.words / counts.sentences


@lru_cache(maxsize=1)
def _hyphenation() -> pyphen.Pyphen:
    return pyphen.Pyphen(lang="en_US")


@lru_cache(maxsize=4096)
def english_syllables(word: str) -> int:
    if word.isdigit():
        return 1 if len(word) == 1 else 2
    lower = word.lower().replace("’", "'")
    if word.isupper() and len(word) <= 3:
        return len(word)
    groups = len(re.findall(r"[aeiouy]+", lower))
    if (
        re.search(r"[^aeiouyl]e$", lower)
        or re.search(r"[^aeiouytd]ed$", lower)
        or re.search(r"[^aeiouysxzc]es$", lower)
    ):
        groups -= 1
    return max(1, groups, len(_hyphenation().positions(lower)) + 1)


@lru_cache(maxsize=4096)
def spanish_syllables(word: str) -> int:
    """Vowel groups, split between two strong vowels and at an accented weak one; a silent u after q and g is none."""
    if word.isdigit():
        return 1 if len(word) == 1 else 3
    lower = re.sub(r"(?<=[qg])u(?=[eiéí])", "", word.lower())
    lower = re.sub(r"y(?![aeiouáéíóúü])", "i", lower)
    number, before = 0, ""
    for letter in lower:
        vowel = letter in _STRONG + _WEAK + _ACCENTED_WEAK
        joined = before and (before in _WEAK or letter in _WEAK)
        if vowel and not joined:
            number += 1
        before = letter if vowel else ""
    return max(1, number)
