"""A document as PDF/UA-1: tagged, with its language and title, the same bytes for the same document."""

from __future__ import annotations

import hashlib
import logging
import threading
from typing import Any

from fhir_app.errors import FhirAppError
from fhir_app.leaflets.page import PatientDocument

# Pango and fontconfig keep state for the whole process; one page at a time is safe and quick enough.
_ONE_AT_A_TIME = threading.Lock()


class PdfNotInstalled(FhirAppError):
    """The extra `pdf`, or the Pango library that it needs, is not there. HTML and plain text still are."""

    status = 501
    issue_type = "not-supported"


class PdfRefused(FhirAppError):
    """The document refers to something outside itself; a page about a patient must not."""

    status = 500
    issue_type = "security"


def pdf_available() -> bool:
    """Whether `render_pdf` can work on this machine."""
    try:
        _weasyprint()
    except PdfNotInstalled:
        return False
    return True


def render_pdf(document: PatientDocument) -> bytes:
    """The document as PDF/UA-1 (ISO 14289-1). Nothing is fetched: only `data:` URLs are read. The identifier comes
    from the HTML and the dates from its metadata, so the same document gives the same bytes (with the same fonts
    and WeasyPrint). Raises PdfNotInstalled without the extra `pdf`, and PdfRefused for a reference to anything else."""
    weasyprint = _weasyprint()
    fetcher = weasyprint.URLFetcher(allowed_protocols=("data",), fail_on_errors=True)
    identifier = hashlib.sha256(document.html.encode("utf-8")).digest()[:16]
    try:
        with _ONE_AT_A_TIME:
            page = weasyprint.HTML(string=document.html, url_fetcher=fetcher)
            pdf: bytes = page.write_pdf(pdf_variant="pdf/ua-1", pdf_identifier=identifier)
    except weasyprint.urls.FatalURLFetchingError as error:  # a BaseException: nobody else would stop it
        raise PdfRefused("The document refers to something outside itself.") from error
    return pdf


def _weasyprint() -> Any:
    try:
        import weasyprint
    except (ImportError, OSError) as error:
        raise PdfNotInstalled("PDF needs the extra: pip install 'fhir-app[pdf]', and the Pango library.") from error
    # Its warnings quote the page, which is about a patient.
    logging.getLogger("weasyprint").setLevel(logging.CRITICAL)
    return weasyprint
