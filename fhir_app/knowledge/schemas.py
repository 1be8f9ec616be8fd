"""The shape of the knowledge files, as marshmallow schemas: a misspelt key or a wrong word is an error."""

from __future__ import annotations

from typing import Any

from marshmallow import Schema, ValidationError, fields, validate, validates_schema

URGENCIES = ("emergency", "same-day", "soon", "routine", "self-care")
PLACES = ("hospital", "clinic")
DISPOSITIONS = ("emergency", "same-day hospital", "same-day clinic", "soon", "routine", "self-care")
GROUPS = (
    *("location", "side", "onset", "relief-time", "relief-how", "trigger", "course"),
    *("association", "exposure", "background"),
)

_ID = validate.Regexp(r"^[A-Za-z0-9][A-Za-z0-9.-]*$")
_CITE = validate.Regexp(r"^[A-Za-z0-9-]+#.+$", error="a citation is Source#locator")


def _text(**kwargs: Any) -> fields.String:
    return fields.String(required=True, validate=validate.Length(min=1), **kwargs)


class CodingSchema(Schema):
    system = _text()
    code = _text()
    display = _text()


class ClaimSchema(Schema):
    """A claim says what it rests on; published and derived ones name their source and the place in it."""

    basis = fields.String(required=True, validate=validate.OneOf(("published", "derived", "judgement")))
    cite = fields.List(fields.String(validate=_CITE), load_default=list)

    @validates_schema(skip_on_field_errors=True)
    def _cited(self, data: dict[str, Any], **_: Any) -> None:
        if data["basis"] != "judgement" and not data["cite"]:
            raise ValidationError(f"basis is {data['basis']!r} but nothing is cited", "cite")


class DispositionSchema(Schema):
    urgency = fields.String(required=True, validate=validate.OneOf(URGENCIES))
    where = fields.String(validate=validate.OneOf(PLACES))

    @validates_schema(skip_on_field_errors=True)
    def _place(self, data: dict[str, Any], **_: Any) -> None:
        if (data["urgency"] == "same-day") != ("where" in data):
            raise ValidationError("`where` goes with same-day, and only with it", "where")


class RedFlagSchema(ClaimSchema, DispositionSchema):
    id = fields.String(required=True, validate=_ID)
    kind = fields.String(load_default="red-flag", validate=validate.OneOf(("red-flag", "not-assessed", "age")))
    says = _text()
    when = _text()
    blank = fields.String(load_default=None, validate=validate.OneOf(DISPOSITIONS))
    advice = fields.String(load_default=None)
    why = _text()


class TriggerSchema(ClaimSchema, DispositionSchema):
    id = fields.String(required=True, validate=_ID)
    says = _text()
    when = _text()
    why = _text()


class FamilySchema(Schema):
    id = fields.String(required=True, validate=_ID)
    label = _text()
    coding = fields.List(fields.Nested(CodingSchema), load_default=list)


class RedFlagsFile(Schema):
    families = fields.List(fields.Nested(FamilySchema), required=True)
    red_flags = fields.List(fields.Nested(RedFlagSchema), required=True)
    triggers = fields.List(fields.Nested(TriggerSchema), required=True)


class EvidenceSchema(ClaimSchema):
    id = fields.String(required=True, validate=_ID)
    says = _text()
    when = _text()
    counts = fields.String(required=True, validate=validate.OneOf(("for", "against")))
    strength = fields.Integer(required=True, strict=True, validate=validate.Range(1, 3))
    group = fields.String(required=True, validate=validate.OneOf(GROUPS))
    figure = fields.String(load_default=None)

    @validates_schema(skip_on_field_errors=True)
    def _figure(self, data: dict[str, Any], **_: Any) -> None:
        if data["basis"] != "judgement" and not data["figure"]:
            raise ValidationError("published and derived evidence names its figure", "figure")


class FloorSchema(DispositionSchema):
    when = fields.String(load_default=None)
    likelihood = fields.String(load_default=None, validate=validate.OneOf(("likely", "possible")))


class RequiredSchema(ClaimSchema):
    says = _text()
    when = _text()


class CeilingSchema(Schema):
    score = fields.Integer(required=True, strict=True)
    why = _text()
    lifted_when = fields.String(load_default=None)


class NextStepSchema(Schema):
    says = _text()
    basis = fields.String(load_default=None, validate=validate.OneOf(("judgement",)))
    cite = fields.List(fields.String(validate=_CITE), load_default=list)

    @validates_schema(skip_on_field_errors=True)
    def _cited(self, data: dict[str, Any], **_: Any) -> None:
        if bool(data["cite"]) == bool(data["basis"]):
            raise ValidationError("a next step is either cited or `basis: judgement`", "cite")


class VariantSchema(ClaimSchema):
    id = fields.String(required=True, validate=_ID)
    label = _text()
    says = _text()
    when = _text()
    coding = fields.List(fields.Nested(CodingSchema), load_default=list)


class CauseSchema(Schema):
    id = fields.String(required=True, validate=_ID)
    label = _text()
    says = _text()
    coding = fields.List(fields.Nested(CodingSchema), load_default=list)
    required = fields.Nested(RequiredSchema, required=True)
    ceiling = fields.Nested(CeilingSchema, load_default=None)
    floors = fields.List(fields.Nested(FloorSchema), required=True, validate=validate.Length(min=1))
    next_step = fields.Nested(NextStepSchema, required=True)
    variants = fields.List(fields.Nested(VariantSchema), load_default=list)
    evidence = fields.List(fields.Nested(EvidenceSchema), required=True)


class HintSchema(ClaimSchema):
    id = fields.String(required=True, validate=_ID)
    says = _text()
    when = _text()
    outside = fields.Boolean(required=True, truthy={True}, falsy={False})


class TieSchema(Schema):
    from_age = fields.Integer(required=True, strict=True)
    causes = fields.List(fields.String(), required=True)


class LikelySchema(Schema):
    score = fields.Integer(required=True, strict=True)
    groups = fields.Integer(required=True, strict=True)


class ScoreSchema(Schema):
    score = fields.Integer(required=True, strict=True)


class OutsideSchema(Schema):
    rows = fields.Dict(keys=fields.String(), values=fields.List(fields.String()), required=True)
    always = fields.List(fields.String(), required=True)


class WeakLeaderSchema(Schema):
    cause = _text()
    unless = fields.String(load_default=None)


class NoneFitsSchema(Schema):
    id = fields.String(required=True, validate=_ID)
    label = _text()
    says = _text()
    second_up_to = fields.Integer(required=True, strict=True)
    weak_leaders = fields.List(fields.Nested(WeakLeaderSchema), required=True)
    floors = fields.List(fields.Nested(FloorSchema), required=True, validate=validate.Length(min=1))
    next_step = _text()


class ScoringSchema(Schema):
    basis = fields.String(required=True, validate=validate.Equal("judgement"))
    likely = fields.Nested(LikelySchema, required=True)
    possible = fields.Nested(ScoreSchema, required=True)
    without_required_feature = fields.Nested(ScoreSchema, required=True)
    needed = fields.List(fields.String(), required=True)
    ties = fields.List(fields.Nested(TieSchema), required=True)
    outside = fields.Nested(OutsideSchema, required=True)
    none_fits = fields.Nested(NoneFitsSchema, required=True)


class CausesFile(Schema):
    scoring = fields.Nested(ScoringSchema, required=True)
    causes = fields.List(fields.Nested(CauseSchema), required=True)
    hints = fields.List(fields.Nested(HintSchema), required=True)


class SourceSchema(Schema):
    id = fields.String(required=True, validate=_ID)
    title = _text()
    publisher = fields.String(load_default=None)
    year = fields.Integer(load_default=None, strict=True)
    url = fields.String(load_default=None)
    found_at = fields.String(load_default=None)
    locators = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    confirmed = fields.Boolean(required=True, truthy={True}, falsy={False})
    note = fields.String(load_default=None)


class SourcesFile(Schema):
    sources = fields.List(fields.Nested(SourceSchema), required=True)


class ReviewedSchema(Schema):
    by = fields.String(required=True, allow_none=True)
    date = fields.String(required=True, allow_none=True)


class AgeSchema(Schema):
    question = _text()
    adult_from = fields.Integer(required=True, strict=True)


class MissingAnswersSchema(Schema):
    core = fields.List(fields.String(), required=True)
    not_sure = fields.List(fields.String(), required=True)
    declines = fields.Dict(
        keys=fields.String(),
        values=fields.Dict(keys=fields.String(), values=fields.List(fields.String())),
        required=True,
    )


class ConditionSchema(Schema):
    name = fields.String(required=True, validate=validate.Regexp(r"^[A-Z][A-Z0-9_]*$"))
    when = _text()


class IntakeFile(Schema):
    name = fields.String(required=True, validate=_ID)
    title = _text()
    knowledge_version = fields.String(required=True, validate=validate.Regexp(r"^\d+\.\d+\.\d+$"))
    reviewed = fields.Nested(ReviewedSchema, required=True)
    questionnaire = _text()
    languages = fields.List(fields.String(), required=True, validate=validate.Length(min=1))
    age = fields.Nested(AgeSchema, required=True)
    descriptive = fields.List(fields.String(), required=True)
    missing_answers = fields.Nested(MissingAnswersSchema, required=True)
    urgency = fields.Dict(keys=fields.String(validate=validate.OneOf(DISPOSITIONS)), values=_text(), required=True)
    conditions = fields.List(fields.Nested(ConditionSchema), required=True)

    @validates_schema(skip_on_field_errors=True)
    def _every_urgency(self, data: dict[str, Any], **_: Any) -> None:
        missing = [words for words in DISPOSITIONS if words not in data["urgency"]]
        if missing:
            raise ValidationError(f"no text for {', '.join(missing)}", "urgency")
