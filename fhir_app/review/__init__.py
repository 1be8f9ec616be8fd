"""The knowledge as a document that a clinician can read, annotate and sign off rule by rule."""
