"""The one document for a patient, composed for one result; and a leaflet on its own."""

from __future__ import annotations

from datetime import date, timedelta

from fhir_app.assessment.assessment import Assessment
from fhir_app.knowledge.intake import Intake, Urgency
from fhir_app.leaflets.care import CareSetting
from fhir_app.leaflets.chosen import Chosen, ShownCause, ShownFlag, choose
from fhir_app.leaflets.page import Page, Part, PatientDocument, render
from fhir_app.leaflets.words import Words, disposition_key, phrase_book, review_days, words_for

_LEAFLET_DAYS = 28


def compose(
    intake: Intake, assessment: Assessment, *, language: str, today: date, care: CareSetting
) -> PatientDocument:
    """What a patient takes home: what to do now, why, what may fit (two at most, in no order), signs to act on, a
    date, prevention, where to go, what to show. It holds nothing but the result and is the same for the same input.

    For an emergency or a same-day result causes and prevention are left out; a minor gets the page for minors,
    below the cards of such a result.
    Raises KnowledgeError when a text is not there in `language`."""
    plan = phrase_book(intake, language).plan
    chosen = choose(assessment, intake, plan)
    disposition = assessment.disposition
    rows = [flag.row for flag in (*chosen.flags, *chosen.also)]
    days = review_days(plan, disposition, (*rows, *(v for c in chosen.causes for v in (c.leaflet, *c.variants))))
    by = today + timedelta(days=days)
    words = words_for(intake, language, today=today, review=by, care=care, disposition=disposition)
    key = disposition_key(disposition)
    headline = words.say(f"headline-{key}")
    parts = (
        *_reasons(words, chosen, assessment),
        *_for_a_minor(words, chosen),
        *_causes(words, chosen),
        _signs(words, chosen),
        Part("date", words.say("date-heading"), words.say(f"date-{key}")),
        *_prevention(words, chosen),
        _where(words, chosen, key, headline),
        Part("closing", "", f"{words.say('come-back')}\n\n{words.say('not-diagnosis')}"),
    )
    emergency = disposition.urgency is Urgency.EMERGENCY
    return render(
        Page(
            top=Part("emergency" if emergency else "now", headline, _lead(words, chosen, key), parts),
            language=language,
            title=f"{words.say('title')} - {headline}",
            footer=_footer(words, words.say("made"), chosen.leaflet_ids),
            day=today.isoformat(),
            care=care,
            icon=key,
            icon_text=words.say(f"icon-{key}"),
            call=headline if emergency else None,
        )
    )


def compose_leaflet(
    intake: Intake, leaflet_id: str, *, language: str, today: date, care: CareSetting
) -> PatientDocument:
    """One leaflet on its own, with the signs that every leaflet carries. Raises KnowledgeError when it is not
    there in `language`."""
    plan = phrase_book(intake, language).plan
    review = today + timedelta(days=plan.cause_days.get(leaflet_id, _LEAFLET_DAYS))
    words = words_for(intake, language, today=today, review=review, care=care)
    signs = _bullets(words.say("net-first"), words.say("net-second"))
    parts = (
        *words.sections(leaflet_id).values(),
        Part("signs", words.say("signs-heading"), signs),
        Part("closing", "", f"{words.say('come-back')}\n\n{words.say('not-diagnosis')}"),
    )
    title = words.title(leaflet_id)
    footer = _footer(words, words.say("leaflet-made"), (leaflet_id,))
    return render(Page(Part("leaflet", title, "", parts), language, title, footer, today.isoformat(), care))


def _lead(words: Words, chosen: Chosen, key: str) -> str:
    """The one thing to do, and the first step for each cause that the page explains."""
    steps = [bullets[0] for cause in chosen.causes if (bullets := words.bullets(cause.leaflet, "now"))]
    if not steps:
        return words.say(f"lead-{key}")
    return f"{words.say(f'lead-{key}')}\n\n{words.say('start-with')}\n\n{_bullets(*dict.fromkeys(steps))}"


def _reasons(words: Words, chosen: Chosen, assessment: Assessment) -> tuple[Part, ...]:
    """Why the advice is what it is: a card for each red flag that counts, the triggers, and gaps."""
    because = assessment.not_assessed_because
    notes = [words.say(because)] if because in ("invalid", "status") else []
    if chosen.gaps and not any(flag.kind == "not-assessed" for flag in chosen.flags):
        notes.append(words.say("unanswered"))
    triggers = [words.say(key) for id_ in chosen.triggers if (key := f"trigger-{id_}") in words.phrases]
    if not (chosen.flags or triggers or notes):
        return ()
    if chosen.flags:
        notes.insert(0, words.say("flags-intro" if chosen.urgent else "flags-intro-mild"))
    if any(flag.by_gap for flag in chosen.flags):
        notes.append(words.say("by-gap"))
    if triggers:
        notes.append(_bullets(*triggers))
    cards = tuple(_flag_card(words, flag) for flag in chosen.flags)
    return (Part("flags", words.say("flags-heading"), "\n\n".join(notes), cards),)


def _for_a_minor(words: Words, chosen: Chosen) -> tuple[Part, ...]:
    if chosen.under_age is None:
        return ()
    return (Part("flags", words.title(chosen.under_age), "", tuple(words.sections(chosen.under_age).values())),)


def _flag_card(words: Words, flag: ShownFlag) -> Part:
    """What to do and say stands first where minutes count; prevention only where there is time for it."""
    sections = words.sections(flag.family, flag.disposition)
    if flag.disposition.urgency >= Urgency.SAME_DAY:
        keys: tuple[str, ...] = ("now", "tell", "what", "why")
    elif flag.disposition.urgency is Urgency.SOON:
        keys = ("what", "why", "now", "help", "tell")
    else:
        keys = ("what", "why", "now", "helps", "help", "tell")
    shown = [sections[key] for key in keys if sections[key].markdown]
    return Part("card", words.title(flag.family), "", tuple(shown))


def _causes(words: Words, chosen: Chosen) -> tuple[Part, ...]:
    if not chosen.causes:
        return ()
    # By title, not by rank: the order in which they stand must not tell which is likelier.
    shown = sorted(chosen.causes, key=lambda cause: words.title(cause.leaflet).casefold())
    if all(cause.none_fits for cause in shown):
        only = shown[0].leaflet
        return (Part("causes", words.title(only), "", tuple(words.sections(only).values())),)
    cards = tuple(_cause_card(words, cause) for cause in shown)
    intro = words.say("causes-intro" if len(cards) > 1 else "causes-intro-one")
    return (Part("causes", words.say("causes-heading"), intro, cards),)


def _cause_card(words: Words, shown: ShownCause) -> Part:
    parts = list(words.sections(shown.leaflet).values())
    for variant in shown.variants:
        own = words.sections(variant)
        parts.append(Part("variant", words.title(variant), "", (own["what"], own["now"], own["help"])))
    return Part("card", words.title(shown.leaflet), "", tuple(parts))


def _signs(words: Words, chosen: Chosen) -> Part:
    """Three signs: the two that stand on every page, and the first one of what leads here."""
    leading = [words.bullets(flag.family, "help", flag.disposition) for flag in chosen.flags]
    leading += [words.bullets(id_, "help") for shown in chosen.causes for id_ in _leaflets(shown)]
    own = next((bullets[0] for bullets in leading if bullets), words.say("net-otherwise"))
    signs = _bullets(own, words.say("net-first"), words.say("net-second"))
    return Part("signs", words.say("signs-heading"), signs)


def _leaflets(shown: ShownCause) -> tuple[str, ...]:
    return (*shown.variants, shown.leaflet)


def _prevention(words: Words, chosen: Chosen) -> tuple[Part, ...]:
    ids = [f"prevention-{topic}" for topic in chosen.topics]
    topics = tuple(Part("topic", words.title(id_), words.sections(id_)["helps"].markdown) for id_ in ids)
    return (Part("prevention", words.say("prevention-heading"), "", topics),) if topics else ()


def _where(words: Words, chosen: Chosen, key: str, headline: str) -> Part:
    """Where to go and what to say, with a paragraph to show; it names no cause above a same-day result."""
    flags = "; ".join(words.title(flag.family) for flag in (*chosen.flags, *chosen.also) if flag.kind == "red-flag")
    named = [words.title(cause.leaflet) for cause in chosen.causes if not cause.none_fits]
    causes = "; ".join(sorted(named, key=str.casefold))
    say = [words.say("summary-start"), words.say("summary-advice", headline=headline)]
    say += [words.say("summary-flags", flags=flags)] if flags else []
    say += [words.say("summary-unanswered")] if chosen.gaps else []
    say += [words.say("summary-causes", causes=causes)] if causes else []
    say += [words.say("summary-none-fits")] if any(cause.none_fits for cause in chosen.causes) else []
    say.append(words.say("summary-end"))
    summary = Part("summary", words.say("summary-heading"), " ".join(say))
    also = [words.title(flag.family) for flag in chosen.also if flag.kind == "red-flag"]
    text = words.say(f"where-{key}")
    if also:
        text += f"\n\n{words.say('also-tell')}\n\n{_bullets(*also)}"
    return Part("where", words.say("where-heading"), text, (summary,))


def _footer(words: Words, made: str, leaflet_ids: tuple[str, ...]) -> tuple[str, ...]:
    draft = any(words.leaflet(id_).reviewed is None for id_ in leaflet_ids)
    return (made, words.say("draft")) if draft else (made,)


def _bullets(*lines: str) -> str:
    return "\n".join(f"- {line}" for line in lines)
