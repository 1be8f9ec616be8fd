"""Does a slip in the knowledge break a case? Every mutant is played against every case and story.

`python -m tests.questionnaires.mutation` prints the score by kind of rule, and the mutants that nothing noticed.
"""

from __future__ import annotations

import argparse
import json
import random
import sys
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from functools import lru_cache, partial
from typing import Literal

from fhir_app.assessment.assess import assess
from fhir_app.assessment.assessment import Assessment
from fhir_app.evaluation.expectations import unmet_by
from fhir_app.evaluation.outcome import outcome_of
from fhir_app.evaluation.played import answers_of
from fhir_app.knowledge.answers import Answers
from fhir_app.knowledge.cases import Case, Story
from fhir_app.knowledge.criteria import Criterion, Missing, Truth, branches, compile_criterion, gate
from fhir_app.knowledge.intake import Intake
from tests.assessment.knowledge_fixture import cases_and_stories, intake
from tests.questionnaires.mutants import Mutant, mutants, rules


@dataclass(frozen=True)
class Played:
    """A case or story with its answers and what the unchanged rules make of them. `because`: why nothing is ranked."""

    given: Case | Story
    answers: Answers
    because: Literal["status"] | None
    before: Assessment

    def notices(self, changed: Intake) -> bool:
        """Whether the changed rules break what was expected (of a story: what its label was met in)."""
        after = assess(changed, self.answers, rank_causes=self.because is None, because=self.because)
        if isinstance(self.given, Case):
            return any(True for _ in unmet_by(after, self.given.expected))
        one, other = (outcome_of(intake(), self.given, found) for found in (self.before, after))
        urgency_lost = one.given is one.gold and other.given is not other.gold
        return urgency_lost or (one.position == 1 and other.position != 1)


@lru_cache(maxsize=1)
def everything_played() -> tuple[Played, ...]:
    cases, stories = cases_and_stories()
    found = []
    for given in (*cases, *stories):
        status = given.status if isinstance(given, Case) else "completed"
        answers = answers_of(intake(), given.answers, name=given.id, status=status)
        because: Literal["status"] | None = None if status in ("completed", "amended") else "status"
        before = assess(intake(), answers, rank_causes=because is None, because=because)
        found.append(Played(given, answers, because, before))
    return tuple(found)


def is_noticed(mutant: Mutant) -> bool:
    """Whether any case or story breaks. Only those are played that can tell the mutant from the original."""
    concerned = [one for one in everything_played() if _can_tell(mutant, one)]
    if not concerned:
        return False
    try:
        changed = mutant.intake()
        return any(one.notices(changed) for one in concerned)
    except ValueError:
        return True  # the rules refuse to be compiled, which no release survives


def _can_tell(mutant: Mutant, one: Played) -> bool:
    if mutant.tree is not None:
        return _truths(mutant.tree, one.answers) != _truths(_original(mutant.rule), one.answers)
    if mutant.touches is None:
        return True
    kind, name = mutant.touches
    if kind == "evidence":
        return name in _evidence_held(one.before)
    if kind == "first":
        return one.before.assessed and one.before.causes[0].id == name
    rows = {flag.id for flag in one.before.red_flags if flag.status == "present" and (flag.by_gap or kind == "present")}
    return name in rows | {trigger.id for trigger in one.before.triggers}


@lru_cache(maxsize=1024)
def _evidence_held(before: Assessment) -> frozenset[str]:
    return frozenset(item.id for cause in before.causes for item in (*cause.evidence_for, *cause.evidence_against))


@lru_cache(maxsize=1)
def _originals() -> dict[str, Criterion]:
    return {name: rule.tree for name, _, rule in rules(intake())}


def _original(name: str) -> Criterion:
    return _originals()[name]


Tests = tuple[tuple[object, ...], ...]


def _truths(tree: Criterion, answers: Answers) -> tuple[bool, bool, Truth, Truth]:
    """Everything that anybody may ask of a rule: whether a row fires, or would for a gap, and the other two readings."""
    rows, strict, shown = _compiled(tree)
    read = [(when(answers), at(answers)) for when, at in rows]
    fires = any(truth is Truth.YES for truth, _ in read)
    by_gap = any(truth is Truth.UNKNOWN and opened is Truth.YES for truth, opened in read)
    return fires, by_gap, strict(answers), shown(answers)


@lru_cache(maxsize=4)
def _compiled(tree: Criterion):  # type: ignore[no-untyped-def]
    reading = intake().reading
    rows = [
        tuple(compile_criterion(part, Missing.RULE, reading) for part in (branch, gate(branch)))
        for branch in branches(tree)
    ]
    return rows, compile_criterion(tree, Missing.STRICT, reading), compile_criterion(tree, Missing.SHOWN, reading)


# --- all of them --------------------------------------------------------------------------------------------------


@lru_cache(maxsize=1)
def all_mutants() -> tuple[Mutant, ...]:
    return tuple(mutants(intake()))


def sample(count: int, seed: int, kinds: Iterable[str] = ()) -> tuple[int, ...]:
    """Numbers of `count` mutants (of these kinds), drawn without order."""
    wanted = set(kinds)
    every = [i for i, mutant in enumerate(all_mutants()) if not wanted or mutant.kind in wanted]
    return tuple(sorted(random.Random(seed).sample(every, min(count, len(every)))))


def tried(numbers: Sequence[int]) -> list[tuple[int, bool]]:
    return [(number, is_noticed(all_mutants()[number])) for number in numbers]


def _results(numbers: Sequence[int], jobs: int) -> Iterator[tuple[int, bool]]:
    chunks = [numbers[i : i + 50] for i in range(0, len(numbers), 50)]
    if jobs == 1:
        for chunk in chunks:
            yield from tried(chunk)
        return
    everything_played(), all_mutants()  # before the fork, so that every process has them
    with ProcessPoolExecutor(jobs) as pool:
        for chunk_results in pool.map(partial(tried), chunks):
            yield from chunk_results


def main(arguments: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.questionnaires.mutation", description=__doc__)
    parser.add_argument("--sample", type=int, help="try only so many, drawn at random")
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kind", action="append", default=[], help="only mutants of this kind (repeatable)")
    parser.add_argument("--jobs", type=int, default=1)
    parser.add_argument("--survivors", action="store_true", help="list the mutants that nothing noticed")
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args(arguments)
    numbers = sample(given.sample or len(all_mutants()), given.seed, given.kind)
    noticed = dict(_results(numbers, given.jobs))
    _print(noticed, as_json=given.json, survivors=given.survivors)
    return 0


def _print(noticed: dict[int, bool], *, as_json: bool, survivors: bool) -> None:
    every = all_mutants()
    tries = Counter(every[number].kind for number in noticed)
    killed = Counter(every[number].kind for number, seen in noticed.items() if seen)
    left = [every[number] for number, seen in noticed.items() if not seen]
    if as_json:
        data = {
            "version": intake().knowledge_version,
            "kinds": {kind: {"mutants": tries[kind], "noticed": killed[kind]} for kind in sorted(tries)},
            "survivors": [{"rule": m.rule, "kind": m.kind, "change": m.change} for m in left],
        }
        print(json.dumps(data, indent=2, ensure_ascii=False))
        return
    print(f"Knowledge {intake().knowledge_version}: {len(everything_played())} cases and stories.")
    for kind in sorted(tries, key=lambda kind: -tries[kind]):
        print(f"  {kind:22} {killed[kind]:5} of {tries[kind]:5} noticed  {100 * killed[kind] / tries[kind]:5.1f} %")
    total, seen = sum(tries.values()), sum(killed.values())
    print(f"  {'all':22} {seen:5} of {total:5} noticed  {100 * seen / max(1, total):5.1f} %")
    if survivors:
        for mutant in left:
            print(f"survived: {mutant.kind} {mutant.rule}: {mutant.change}")


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
