"""FHIR in and out: reading, shape, resources, definitions."""
