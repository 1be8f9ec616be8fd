"""A criterion in the words of its questionnaire: linkIds stay, options are said as the patient reads them."""

from __future__ import annotations

from fhir_app.knowledge.answers import Coding
from fhir_app.knowledge.criteria import And, Compare, Criterion, Exists, Named, Not, Or, Ticked, Unanswered
from fhir_app.knowledge.criteria_text import parse_criterion
from fhir_app.knowledge.intake import Rule
from fhir_app.knowledge.questionnaire import Questionnaire


def rule_in_words(rule: Rule, questionnaire: Questionnaire) -> str:
    """One sentence for a rule as written; named conditions keep their names."""
    return _words(parse_criterion(rule.text), questionnaire, outermost=True)


def option_in_words(questionnaire: Questionnaire, link_id: str, code: str) -> str:
    """What the patient reads for an option; the code itself when the questionnaire has no such option."""
    item = questionnaire.by_link_id.get(link_id)
    for option in item.options if item is not None else ():
        if isinstance(option.value, Coding) and option.value.code == code:
            return option.text
    return code


def _words(tree: Criterion, questionnaire: Questionnaire, *, outermost: bool = False) -> str:
    match tree:
        case And(terms):
            return _joined(" and ", [_words(term, questionnaire) for term in terms], outermost)
        case Or(terms):
            return _joined(" or ", [_words(term, questionnaire) for term in terms], outermost)
        case Not(term):
            return f"not ({_words(term, questionnaire, outermost=True)})"
        case Ticked():
            return _ticked(tree, questionnaire)
        case _:
            return _leaf(tree)


def _ticked(leaf: Ticked, questionnaire: Questionnaire) -> str:
    texts = (option_in_words(questionnaire, leaf.link_id, code) for code in leaf.codes)
    options = [f"\N{LEFT DOUBLE QUOTATION MARK}{text}\N{RIGHT DOUBLE QUOTATION MARK}" for text in texts]
    if leaf.at_least > 1:
        return f"{leaf.link_id}: at least {leaf.at_least} of {', '.join(options)}"
    return f"{leaf.link_id}: {' or '.join(options)}"


def _leaf(leaf: Criterion) -> str:
    match leaf:
        case Named(name):
            return f"@{name}"
        case Compare(link_id, operator, value):
            return f"{link_id} {operator} {value}"
        case Exists(link_id, expected):
            return f"{link_id} is {'' if expected else 'not '}answered"
        case Unanswered(link_id):
            return f"{link_id} was shown and is unanswered"
        case _:
            raise ValueError("not a leaf")


def _joined(word: str, terms: list[str], outermost: bool) -> str:
    text = word.join(terms)
    return text if outermost else f"({text})"
