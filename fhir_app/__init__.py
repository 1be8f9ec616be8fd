"""A FHIR R4 questionnaire intake: assess responses, write the result back."""

__version__ = "0.1.0"
