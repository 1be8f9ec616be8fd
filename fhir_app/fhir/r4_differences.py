"""Where the R4B tables of fhir.resources and R4 4.0.1 part: pure data, compared element by element with both.

The library writes some code lists as far as their short description goes ("registered | preliminary | ... | +").
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


_OBSERVATION_STATUS = _words("registered preliminary final amended corrected cancelled entered-in-error unknown")
_ENCOUNTER_STATUS = _words("planned arrived triaged in-progress onleave finished cancelled entered-in-error unknown")
_COMPARATOR = ("<", "<=", ">=", ">")

CODES: Final[Mapping[tuple[str, str], tuple[str, ...] | None]] = {
    ("Observation", "status"): _OBSERVATION_STATUS,
    ("DetectedIssue", "status"): _OBSERVATION_STATUS,
    ("RiskAssessment", "status"): _OBSERVATION_STATUS,
    ("DiagnosticReport", "status"): _words(
        "registered partial preliminary final amended corrected appended cancelled entered-in-error unknown"
    ),
    ("Encounter", "status"): _ENCOUNTER_STATUS,
    ("EncounterStatusHistory", "status"): _ENCOUNTER_STATUS,
    ("DeviceUseStatement", "status"): ("active", "completed", "entered-in-error", "intended", "stopped", "on-hold"),
    ("SupplyRequest", "status"): _words("draft active suspended cancelled completed entered-in-error unknown"),
    ("Task", "status"): _words(
        "draft requested received accepted rejected ready cancelled in-progress on-hold failed completed "
        "entered-in-error"
    ),
    ("DeviceUdiCarrier", "entryType"): ("barcode", "rfid", "manual", "card", "self-reported", "unknown"),
    ("QuestionnaireItem", "type"): _words(
        "group display question boolean decimal integer date dateTime time string text url choice open-choice "
        "attachment reference quantity"
    ),
    ("StructureMapGroupRuleTarget", "transform"): _words(
        "create copy truncate escape cast append translate reference dateOp uuid pointer evaluate cc c qty id cp"
    ),
    # Required lists that the library does not have.
    ("Quantity", "comparator"): _COMPARATOR,
    ("Age", "comparator"): _COMPARATOR,
    ("Count", "comparator"): _COMPARATOR,
    ("Distance", "comparator"): _COMPARATOR,
    ("Duration", "comparator"): _COMPARATOR,
    # Open lists that the library takes for closed ones.
    ("Expression", "language"): None,
    ("CapabilityStatement", "format"): None,
}
"""(type, element) -> the whole list of codes, or None where any code may stand."""

R4B_ONLY_ELEMENTS: Final = frozenset(
    {
        ("ActivityDefinition", "subjectCanonical"),
        ("PlanDefinition", "subjectCanonical"),
        ("PlanDefinitionAction", "subjectCanonical"),
        ("Extension", "valueCodeableReference"),
        ("Extension", "valueRatioRange"),
        ("ElementDefinitionExample", "valueCodeableReference"),
        ("ElementDefinitionExample", "valueRatioRange"),
        *(
            ("ElementDefinition", f"{prefix}{kind}")
            for prefix in ("defaultValue", "fixed", "pattern")
            for kind in ("CodeableReference", "RatioRange")
        ),
    }
)

R4B_ONLY_TYPES: Final = frozenset(
    _words(
        "AdministrableProductDefinition Citation ClinicalUseDefinition EvidenceReport Ingredient "
        "ManufacturedItemDefinition MedicinalProductDefinition NutritionProduct PackagedProductDefinition "
        "RegulatedAuthorization SubscriptionStatus SubscriptionTopic SubstanceDefinition"
    )
)

META_CHOICES: Final[Mapping[str, tuple[tuple[str, str], ...]]] = {
    "Extension": (("valueMeta", "value"),),
    "ElementDefinitionExample": (("valueMeta", "value"),),
    "ElementDefinition": (
        ("defaultValueMeta", "defaultValue"),
        ("fixedMeta", "fixed"),
        ("patternMeta", "pattern"),
    ),
}
"""Type -> (element, choice) of the type Meta, which R4 allows and R4B does not."""

NOT_IN_THE_LIBRARY: Final = frozenset(
    _words(
        "EffectEvidenceSynthesis MedicinalProduct MedicinalProductAuthorization "
        "MedicinalProductContraindication MedicinalProductIndication MedicinalProductIngredient "
        "MedicinalProductInteraction MedicinalProductManufactured MedicinalProductPackaged "
        "MedicinalProductPharmaceutical MedicinalProductUndesirableEffect RiskEvidenceSynthesis "
        "SubstanceNucleicAcid SubstancePolymer SubstanceProtein SubstanceReferenceInformation "
        "SubstanceSourceMaterial SubstanceSpecification"
    )
)
"""R4's resource types without a table: only the rules that hold for all JSON of FHIR are checked inside."""

CHANGED_TYPES: Final = frozenset({"Evidence", "EvidenceVariable"})
"""Types whose R4B tables say something else than R4: treated like those without a table."""
