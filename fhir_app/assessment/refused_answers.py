"""What an answer that is refused still says: what it ticks beyond doubt, and never what it does not tick."""

from __future__ import annotations

from dataclasses import dataclass

from fhir_app.assessment.form import FormItem
from fhir_app.assessment.option_membership import folded, option_key
from fhir_app.knowledge.answers import AnswerValue, Coding, Reference


@dataclass(frozen=True)
class Refused:
    """An answer with an error. `says`: the values that it is read as all the same; what else it meant is unknown."""

    says: tuple[AnswerValue, ...]


NOTHING_SAID = Refused(())


def still_said(form_item: FormItem, value: AnswerValue) -> Refused:
    """What is left of an answer that was refused although its value has the type of the question.

    A Coding ticks each option that its code or its display names alone, so that neither "no system" nor a code with
    the display of another option hides a red flag. A number, a date or a quantity that the question does not take (an
    age of -1) is no fact of any kind. Texts are kept: they are there, whatever is wrong with their form.
    """
    match value:
        case Coding(_, code, display) if form_item.options:
            by_code = form_item.by_code.get(code, ()) if code is not None else ()
            by_display = form_item.by_display.get(folded(display), ()) if display is not None else ()
            named = {option_key(option.value): option.value for option in (*by_code, *by_display)}
            return Refused(tuple(named.values()))
        case bool() | str() | Coding() | Reference():
            return Refused((value,))
        case _:
            return NOTHING_SAID
