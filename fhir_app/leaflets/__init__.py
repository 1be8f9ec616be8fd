"""The patient's document and leaflets: composed, as HTML, plain text and PDF."""
