"""Does a slip in the knowledge show? Every mutant is played against every case and story.

`python -m tests.questionnaires.mutation` prints the score by kind of rule, twice: how many mutants break what a case or
story says must come out, and how many change any recorded result (recorded.txt beside the cases). `--survivors` lists
those that nothing noticed, with answers that would tell them from the original where there are any.
"""

from __future__ import annotations

import argparse
import json
import random
import signal
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, Literal

from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Assessment
from fhir_app.evaluation.expectations import unmet_by
from fhir_app.evaluation.outcome import outcome_of
from fhir_app.evaluation.played import answers_of
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.cases import Case, Story
from fhir_app.knowledge.compile_criteria import compile_criterion
from fhir_app.knowledge.criteria import And, Criterion, Not, branches, gate
from fhir_app.knowledge.intake import Intake
from fhir_app.knowledge.missing_answers import Missing
from fhir_app.knowledge.reachability import Witness, witness
from fhir_app.knowledge.truth import Truth
from tests.assessment.knowledge_fixture import cases_and_stories, intake
from tests.questionnaires.mutants import Mutant, mutants, rules
from tests.questionnaires.probes import add, as_answers, probes
from tests.questionnaires.recorded import line

# How a mutant came to light: an expectation broke, or only the record of a result changed, or nothing did.
Fate = Literal["expectation", "record", "survived"]


@dataclass(frozen=True)
class Played:
    """A case or story with its answers and what the unchanged rules make of them. `because`: why nothing is ranked."""

    given: Case | Story
    answers: Answers
    because: Literal["status"] | None
    before: Assessment
    recorded: str

    def fate(self, changed: Intake) -> Fate:
        """What the changed rules do to this case: break what was expected (of a story: what its label was met in),
        or change the record only."""
        after = assess(changed, self.answers, rank_causes=self.because is None, because=self.because)
        if self._breaks(after):
            return "expectation"
        return "survived" if line(after) == self.recorded else "record"

    def _breaks(self, after: Assessment) -> bool:
        if isinstance(self.given, Case):
            return any(True for _ in unmet_by(after, self.given.expected))
        one, other = (outcome_of(intake(), self.given, found) for found in (self.before, after))
        urgency_lost = one.given is one.gold and other.given is not other.gold
        return urgency_lost or (one.position == 1 and other.position != 1)


@lru_cache(maxsize=1)
def everything_played() -> tuple[Played, ...]:
    cases, stories = cases_and_stories()
    found = []
    for given in (*cases, *stories, *probes()):
        status = given.status if isinstance(given, Case) else "completed"
        answers = answers_of(intake(), given.answers, name=given.id, status=status)
        because: Literal["status"] | None = None if status in ("completed", "amended") else "status"
        before = assess(intake(), answers, rank_causes=because is None, because=because)
        if isinstance(given, Case) and any(True for _ in unmet_by(before, given.expected)):
            continue  # it fails without a mutant, so it can tell nothing (test_cases.py names it)
        found.append(Played(given, answers, because, before, line(before)))
    return tuple(found)


# Once a record has changed, so many further cases are asked whether they expected otherwise, likeliest first.
FURTHER = 25


def fate(mutant: Mutant) -> Fate:
    """The worst that happens to any case or story. Only those are played that can tell mutant from original."""
    concerned = sorted(_that_can_tell(mutant), key=lambda one: not _speaks_of(one.given, mutant.rule))
    if not concerned:
        return "survived"
    changed = mutant.intake()
    left = len(concerned)
    worst: Fate = "survived"
    for one in concerned:
        if left == 0:
            break
        try:
            came = one.fate(changed)
        except ValueError:  # the rules refuse to be compiled: a row would be present on an empty form
            return "expectation"
        if came == "expectation":
            return came
        left -= 1
        if came == "record" and worst == "survived":
            worst, left = came, min(left, FURTHER)
    return worst


def _speaks_of(given: Case | Story, rule: str) -> bool:
    """Whether a case names the rule, or the cause that the rule belongs to, in what it expects."""
    if isinstance(given, Story):
        return rule.partition("/")[0] in (given.label.diagnosis, *given.label.acceptable)
    wanted = given.expected
    named = {*wanted.present, *wanted.absent, *wanted.not_assessed, *wanted.hints, *wanted.likelihoods, *wanted.capped}
    named |= {wanted.first or "", *wanted.variants}
    return rule in named or rule.partition("/")[0] in named or rule.rpartition("/")[2] in named


def _that_can_tell(mutant: Mutant) -> list[Played]:
    every = everything_played()
    if mutant.tree is not None:
        pairs = zip(every, _truths(mutant.tree), _original_truths(mutant.rule), strict=True)
        return [one for one, after, before in pairs if after != before]
    if mutant.touches is None:
        return list(every)
    kind, name = mutant.touches
    return [one for one, touched in zip(every, _touched()[kind], strict=True) if name in touched]


@lru_cache(maxsize=1)
def _touched() -> dict[str, list[frozenset[str]]]:
    """For each case, by kind of finding: which findings are there."""
    found: dict[str, list[frozenset[str]]] = {"evidence": [], "first": [], "present": [], "by gap": []}
    for one in everything_played():
        before = one.before
        held = [item for cause in before.causes for item in (*cause.evidence_for, *cause.evidence_against)]
        present = [flag for flag in before.red_flags if flag.status == "present"]
        triggers = [trigger.id for trigger in before.triggers]
        found["evidence"].append(frozenset(item.id for item in held))
        found["first"].append(frozenset(cause.id for cause in before.causes[:1] if before.assessed))
        found["present"].append(frozenset([*(flag.id for flag in present), *triggers]))
        found["by gap"].append(frozenset(flag.id for flag in present if flag.by_gap))
    return found


@lru_cache(maxsize=1)
def _originals() -> dict[str, Criterion]:
    return {name: rule.tree for name, _, rule in rules(intake())}


@lru_cache(maxsize=4)
def _original_truths(name: str) -> list[tuple[Any, ...]]:
    return _truths(_originals()[name])


def _truths(tree: Criterion) -> list[tuple[Any, ...]]:
    """For each case all that anybody may ask of a rule: does a row fire, or would it for a gap, and both other
    readings."""
    reading = intake().reading
    rows = [
        (compile_criterion(branch, Missing.RULE, reading), compile_criterion(gate(branch), Missing.RULE, reading))
        for branch in branches(tree)
    ]
    strict, shown = (compile_criterion(tree, missing, reading) for missing in (Missing.STRICT, Missing.SHOWN))
    found = []
    for one in everything_played():
        read = [(when(one.answers), opened(one.answers)) for when, opened in rows]
        fires = any(truth is Truth.YES for truth, _ in read)
        by_gap = any(truth is Truth.UNKNOWN and opened is Truth.YES for truth, opened in read)
        found.append((fires, by_gap, strict(one.answers), shown(one.answers)))
    return found


# --- all of them --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def all_mutants() -> tuple[Mutant, ...]:
    return tuple(mutants(intake()))


def sample(count: int, seed: int, kinds: Iterable[str] = ()) -> tuple[int, ...]:
    """Numbers of `count` mutants (of these kinds), drawn at random."""
    wanted = set(kinds)
    every = [i for i, mutant in enumerate(all_mutants()) if not wanted or mutant.kind in wanted]
    return tuple(sorted(random.Random(seed).sample(every, min(count, len(every)))))


def fates(numbers: Sequence[int]) -> list[tuple[int, Fate]]:
    return [(number, fate(all_mutants()[number])) for number in numbers]


def _all_fates(numbers: Sequence[int], jobs: int) -> Iterator[tuple[int, Fate]]:
    chunks = [numbers[i : i + 50] for i in range(0, len(numbers), 50)]
    everything_played(), all_mutants()  # before any fork, so that every process has them
    if jobs == 1:
        for chunk in chunks:
            yield from fates(chunk)
        return
    with ProcessPoolExecutor(jobs) as pool:
        for some in pool.map(fates, chunks):
            yield from some


def telling(mutant: Mutant, seconds: int = 3) -> Witness | Literal["not searched"] | None:
    """Answers to the form for which original and mutant differ; None when there are none, so that nobody can tell."""
    if mutant.tree is None:
        return "not searched"
    original = _originals()[mutant.rule]

    def give_up(*_: object) -> None:
        raise TimeoutError

    before = signal.signal(signal.SIGALRM, give_up)
    signal.alarm(seconds)
    try:
        either = And((original, Not(mutant.tree))), And((Not(original), mutant.tree))
        return next((found for found in (witness(tree, intake()) for tree in either) if found is not None), None)
    except (TimeoutError, RecursionError):
        return "not searched"
    finally:
        signal.alarm(0)
        signal.signal(signal.SIGALRM, before)


# --- command line -------------------------------------------------------------------------------------------------


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.questionnaires.mutation")
    parser.add_argument("--sample", type=int, help="try only so many, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", default=[], help="only mutants of this kind (repeatable)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--survivors", action="store_true", help="list the mutants that no case noticed")
    parser.add_argument("--probes", action="store_true", help="keep answers that tell survivors from the original")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    numbers = sample(given.sample or len(all_mutants()), given.seed, given.kind)
    found = dict(_all_fates(numbers, given.jobs))
    text = json.dumps(_as_json(found), indent=2, ensure_ascii=False) if given.json else "\n".join(_as_text(found))
    sys.stdout.write(text + "\n")
    if given.probes:
        told = (telling(all_mutants()[number]) for number, came in found.items() if came == "survived")
        added = add(as_answers(answers) for answers in told if isinstance(answers, Witness))
        sys.stdout.write(f"{added} probes added: record them with `python -m tests.questionnaires.recorded`.\n")
    if given.survivors and not given.json:
        sys.stdout.writelines(f"{said}\n" for said in _survivors(found))
    return 0


def _counts(found: dict[int, Fate]) -> dict[str, Counter[str]]:
    counts: dict[str, Counter[str]] = {}
    for number, came in found.items():
        counts.setdefault(all_mutants()[number].kind, Counter())[came] += 1
    return counts


def _as_json(found: dict[int, Fate]) -> dict[str, Any]:
    left = [all_mutants()[number] for number, came in found.items() if came == "survived"]
    return {
        "version": intake().knowledge_version,
        "kinds": {kind: dict(count) for kind, count in sorted(_counts(found).items())},
        "survivors": [{"rule": m.rule, "kind": m.kind, "change": m.change} for m in left],
    }


def _as_text(found: dict[int, Fate]) -> Iterator[str]:
    counts = _counts(found)
    yield f"Knowledge {intake().knowledge_version}: {len(everything_played())} cases, stories and probes."
    yield f"  {'kind of rule':22} {'mutants':>7} {'expectation':>16}  {'or record':>16}"
    total = Counter[str]()
    for kind, count in (*sorted(counts.items(), key=lambda pair: -pair[1].total()), ("all", total)):
        total.update(count if count is not total else {})
        every = count.total()
        broke, changed = count["expectation"], count["expectation"] + count["record"]
        shares = (f"{count:8} {100 * count / every:5.1f} %" for count in (broke, changed))
        yield f"  {kind:22} {every:7} {'  '.join(shares)}"


def _survivors(found: dict[int, Fate]) -> Iterator[str]:
    for number, came in found.items():
        mutant = all_mutants()[number]
        if came == "survived":
            answers = telling(mutant)
            said = "nobody can tell" if answers is None else _said(answers)
            yield f"{mutant.kind} {mutant.rule}: {mutant.change}: {said}"


def _said(answers: Witness | Literal["not searched"]) -> str:
    if isinstance(answers, str):
        return answers
    return f"told by {json.dumps(as_answers(answers))}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
