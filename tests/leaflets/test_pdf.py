"""The PDF: tagged, in its language, the same bytes each time, fetching nothing."""

from __future__ import annotations

import contextlib
import re
import subprocess
import sys
import zlib
from dataclasses import replace

import pytest

from fhir_app.leaflets.pdf import PdfNotInstalled, PdfRefused, pdf_available, render_pdf
from tests.leaflets.results import compose_sample


def _unpacked(pdf: bytes) -> bytes:
    """The file with its compressed streams opened, so that its objects can be looked at."""
    streams = re.findall(rb"stream\r?\n(.*?)\r?\nendstream", pdf, re.DOTALL)
    opened = []
    for stream in streams:
        with contextlib.suppress(zlib.error):
            opened.append(zlib.decompress(stream))
    return b"\n".join((pdf, *opened))


needs_pdf = pytest.mark.skipif(not pdf_available(), reason="the extra pdf or Pango is not installed")
pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")


@needs_pdf
def test_the_same_document_gives_the_same_bytes() -> None:
    assert render_pdf(compose_sample("emergency-bladder")) == render_pdf(compose_sample("emergency-bladder"))


@needs_pdf
def test_the_same_document_gives_the_same_bytes_in_another_process() -> None:
    script = (
        "import hashlib; from tests.leaflets.results import compose_sample\n"
        "from fhir_app.leaflets.pdf import render_pdf\n"
        "print(hashlib.sha256(render_pdf(compose_sample('under-18'))).hexdigest())"
    )
    digests = {
        subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
        for _ in range(2)
    }
    assert len(digests) == 1


@needs_pdf
def test_it_is_tagged_and_declares_pdf_ua_and_its_language() -> None:
    pdf = _unpacked(render_pdf(compose_sample("under-18", "es", "es")))
    assert pdf.startswith(b"%PDF-1.7")
    assert b"/MarkInfo" in pdf
    assert b"pdfuaid" in pdf
    assert b"/Lang (es)" in pdf
    assert all(tag in pdf for tag in (b"/S /H1", b"/S /H2", b"/S /P", b"/S /LI"))


@needs_pdf
def test_its_dates_are_those_of_the_document_and_not_of_the_clock() -> None:
    pdf = _unpacked(render_pdf(compose_sample("under-18")))
    assert b"/CreationDate (D:20261124" in pdf
    assert b"/ModDate (D:20261124" in pdf


@needs_pdf
def test_it_takes_the_paper_of_the_country() -> None:
    boxes = [_unpacked(render_pdf(compose_sample("under-18", "en", country))) for country in ("us", "gb")]
    assert b"/MediaBox [0 0 612 792]" in boxes[0]
    assert b"/MediaBox [0 0 595." in boxes[1]


@needs_pdf
@pytest.mark.parametrize("url", ["file:///etc/hostname", "http://127.0.0.1:9/style.css"])
def test_nothing_is_fetched_from_a_file_or_the_network(url: str) -> None:
    page = compose_sample("under-18")
    linked = replace(page, html=page.html.replace("</head>", f'<link rel="stylesheet" href="{url}"></head>'))
    with pytest.raises(PdfRefused):
        render_pdf(linked)


@needs_pdf
def test_a_data_url_is_read() -> None:
    page = compose_sample("under-18")
    linked = page.html.replace("</head>", '<link rel="stylesheet" href="data:text/css,h1{color:red}"></head>')
    assert render_pdf(replace(page, html=linked)) != render_pdf(page)


def test_without_the_extra_the_error_says_what_to_install() -> None:
    script = (
        "import sys; sys.modules['weasyprint'] = None\n"
        "from fhir_app.leaflets.pdf import PdfNotInstalled, pdf_available, render_pdf\n"
        "from fhir_app.leaflets.page import PatientDocument\n"
        "assert not pdf_available()\n"
        "try: render_pdf(PatientDocument('en', '', '', ''))\n"
        "except PdfNotInstalled as error: print(error.public_text)\n"
    )
    told = subprocess.run([sys.executable, "-c", script], check=True, capture_output=True, text=True).stdout
    assert "fhir-app[pdf]" in told
    assert PdfNotInstalled.status == 501
