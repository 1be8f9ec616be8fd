"""What is kept: submissions, assessments, the outbox, the embedded record. SQLite by default, PostgreSQL by URL."""
