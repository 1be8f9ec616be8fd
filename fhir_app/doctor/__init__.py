"""The doctor: tries a FHIR server with made-up data, from /metadata to a retraction, and removes what it made."""

from fhir_app.doctor.examination import Doctor
from fhir_app.doctor.findings import Finding, Report
from fhir_app.doctor.installation import Installation
from fhir_app.doctor.run import Run

__all__ = ["Doctor", "Finding", "Installation", "Report", "Run"]
